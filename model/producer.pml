// SPDX-License-Identifier: Apache-2.0
// A writing thread, and the thread after it: registration.cpp, claim.cpp, writer.hpp. Included by ring.pml.

/* What a new section of a block begins with. */
#ifdef CONTEXT
#define CONTEXT_UNITS 1
#else
#define CONTEXT_UNITS 0
#endif

/* registration.cpp, take(): slot `w`, generation `g`; w == NW: none to be had. */
inline register_thread() {
  w = 0; ok = 0;
  do
  :: w < NW ->
     cl = claim[w];
     if :: CPHASE(cl) == VACANT -> gone = 1
        :: CPHASE(cl) == HELD -> d_step { gone = (word[w] == NOBODY || word[w] == DIED) };
#ifdef UNMARKED
           if :: !gone -> d_step { gone = !alive[CTID(cl)] } :: else -> skip fi  /* /proc (R13) */
#endif
        :: CPHASE(cl) == CLAIMING ->
#ifdef M_CLAIMING_TAKEN
           gone = 1
#else
           d_step { gone = !alive[CTID(cl)] }                                     /* /proc, by the id in the claim */
#endif
     fi;
     g = (CGEN(cl) + 1) % GMOD;
     /* Before a wrap the claim keeps the old generation: until all blocks are sealed nobody has taken generation 0, so
      * whoever comes after a claimer that died meanwhile seals again. */
#ifdef M_R15_CLAIMERS_USE_GENERATIONS
     x = g;
#else
     x = (g == 0 -> CGEN(cl) : g);
#endif
     if :: gone -> CAS(claim[w], cl, CLAIM(x, CLAIMING, t)); if :: ok -> break :: else -> w++ fi
        :: else -> w++ fi
  :: w >= NW -> break
  od;
  skip;
  d_step { cl = 0; gone = 0; x = 0 };
  if
  :: w < NW ->
     OR_DIE(d_step { assert(word[w] == NOBODY || word[w] == DIED || !alive[word[w]]); word[w] = t });  /* the mutex (R14) */
#ifndef M_R15_NO_SEAL_ON_WRAP
     /* seal_all_blocks_of(), on a wrap (R15) */
     i = 0;
     do
     :: g == 0 && i < NB ->
        s = state[i];
        if :: (ST(s) == OPEN || ST(s) == EVICT) && OWNER(s) == w -> CAS(state[i], s, AS(s, SEALED)); if :: ok -> i++ :: else fi
           :: else -> i++ fi
     :: g != 0 || i >= NB -> break
     od;
#endif
     skip;
     OR_DIE(d_step {
       claim[w] = CLAIM(g, HELD, t);
       i = 0;  /* a new holder owns nothing */
       do :: i < NB -> assert(!((ST(state[i]) == OPEN || ST(state[i]) == EVICT) && OWNER(state[i]) == w && OGEN(state[i]) == g)); i++ :: else -> break od;
       i = 0; s = 0; ok = 0
     })
  :: else -> skip
  fi
}

#define MINE(x, st, b) STATE(st, 0, w, g, BGEN(x))
#define OWNED(b) (ST(state[b]) == OPEN && OWNER(state[b]) == w && OGEN(state[b]) == g)

/* FREE -> OPEN(me), without room for more words than one (R1). */
inline claim_free(i) {
#ifdef M_R1_OWNER_AFTER_CLAIM
  CAS(state[i], s, STATE(OPEN, 0, OWNER(s), OGEN(s), BGEN(s)));
  if :: ok -> OR_DIE(state[i] = MINE(s, OPEN, i)) :: else fi
#else
  CAS(state[i], s, MINE(s, OPEN, i))
#endif
}

/* One scan: every block once, FREE or an orphan with room (R9, R12). */
inline scan(adopting) {
  i = 0; b = NONE;
  do
  :: i < NB ->
     s = state[i]; ok = 0;
     if
     :: ST(s) == FREE -> claim_free(i)
#ifdef M_R9_PINNED_ADOPTED
     :: adopting && ST(s) == OPEN ->
#else
     :: adopting && ST(s) == OPEN && PIN(s) == 0 ->
#endif
        owner_gone(OWNER(s), OGEN(s));
        if :: gone -> c = committed[i];
              if :: COFF(c) + CONTEXT_UNITS + 1 <= CAP ->
#ifdef M_R9_ADOPTED_BY_STORE
                    d_step { state[i] = MINE(s, OPEN, i); ok = 1 }
#else
                    CAS(state[i], s, MINE(s, OPEN, i))
#endif
                 :: else fi
           :: else fi
     :: else
     fi;
     if :: ok -> b = i; break :: else -> i++ fi
  :: i >= NB -> break
  od;
  skip;
  d_step { i = 0; s = 0; c = 0; gone = 0; ok = 0 }
}

/* Policy drop-oldest (R8), when a scan found nothing. The candidate: an unpinned SEALED block, or an unpinned OPEN or EVICT
 * one whose owner is gone. (The code takes the one with the lowest ticket; the model any, in order of place.) */
inline evict() {
  i = 0;
  do
  :: i < NB ->
     s = state[i]; ok = 0; gone = 0;
#ifdef M_R8_PINNED_EVICTED
     if :: ST(s) == SEALED -> gone = 1
#else
     if :: ST(s) == SEALED && PIN(s) == 0 -> gone = 1
#endif
        :: (ST(s) == OPEN || ST(s) == EVICT) && PIN(s) == 0 -> owner_gone(OWNER(s), OGEN(s))
        :: else fi;
     /* (1) the life stays the same: what is in it still has to get its fate */
#ifdef M_R8_NO_EVICT_STATE
     if :: gone -> CAS(state[i], s, STATE(OPEN, 0, w, g, BGEN(s))) :: else fi;
#else
     if :: gone -> CAS(state[i], s, STATE(EVICT, 0, w, g, BGEN(s))) :: else fi;
#endif
     if :: ok -> b = i; break :: else -> i++ fi
  :: i >= NB -> break
  od;
  if
  :: b != NONE ->
     do
     :: d_step { ep = header_epoch };
        /* (2) exported, then committed; the owner is gone or has sealed, so `committed` can only lose its offset */
        e = exported[b]; c = committed[b];
        if :: CCOUNT(c) == ECOUNT(e) -> break :: else fi;  /* nothing to count; or a recycling that was interrupted */
#ifdef M_R8_COUNT_AFTER
        d_step { ok = 0; if :: exported[b] == e -> exported[b] = EXPORTED(COFF(c), CCOUNT(c), ESET(e), EEPOCH(e)); ok = 1; ghost_evicted() :: else fi };
        if :: ok -> OR_DIE(d_step { cell[PLACE(b, ESET(e), EVICTED)] = cell[PLACE(b, ESET(e), EVICTED)] + ((CCOUNT(c) - ECOUNT(e)) & 15) }); break :: else fi
#else
        /* (3) the other set, tagged with the header's epoch; a later tag means that a new flusher came: look again */
        fill_other_set(b, e, EVICTED, ((CCOUNT(c) - ECOUNT(e)) & 15), ep);
        /* (4) one CAS moves the position and every total. It fails when a new flusher fenced the word. */
#ifdef M_R8_EXPORTED_BY_STORE
        if :: ok -> d_step { exported[b] = EXPORTED(COFF(c), CCOUNT(c), 1 - ESET(e), EEPOCH(e)); CLOSES(b); ghost_evicted() } :: else fi;
#else
        if :: ok -> OR_DIE(d_step { ok = 0; if :: exported[b] == e -> exported[b] = EXPORTED(COFF(c), CCOUNT(c), 1 - ESET(e), EEPOCH(e)); ok = 1; CLOSES(b); ghost_evicted() :: else fi }) :: else fi;
#endif
        if :: ok -> break :: else fi
#endif
     od;
#ifdef CONT_FIRST
     s = STATE(EVICT, 0, w, g, BGEN(s)); free_conts(b, s);
#endif
     /* (5) committed loses its offset, then exported; a flusher that saw the block SEALED may still do the same */
     do
     :: c = committed[b];
        if :: COFF(c) == 0 -> break :: else -> CAS(committed[b], c, COMMITTED(0, CCOUNT(c), LIFE(CLIFE(c) + 1))) fi
     od;
     do
     :: e = exported[b];
        if :: EOFF(e) == 0 -> break :: else -> CAS(exported[b], e, EXPORTED(0, ECOUNT(e), ESET(e), EEPOCH(e))) fi
     od;
#ifndef CONT_FIRST
     /* (6) the run's other blocks, downwards: while `committed` reaches into them they are there */
     s = STATE(EVICT, 0, w, g, BGEN(s)); free_conts(b, s);
#endif
     /* (7) a new life, mine */
#ifdef M_R8_NO_EVICT_STATE
     s = STATE(OPEN, 0, w, g, BGEN(s));
#else
     s = STATE(EVICT, 0, w, g, BGEN(s));
#endif
     OR_DIE(d_step {
       ok = 0; if :: state[b] == s -> state[b] = STATE(OPEN, 0, w, g, NEXT(BGEN(s))); ok = 1 :: else fi;
       if :: ok -> assert(COFF(committed[b]) == 0 && EOFF(exported[b]) == 0); i = 0; do :: i < CAP -> data[b * CAP + i] = 0; i++ :: else -> break od; i = 0 :: else fi
     });
     if :: !ok -> b = NONE :: else fi
  :: else -> skip
  fi;
  d_step { i = 0; s = 0; c = 0; e = 0; gone = 0; ok = 0; ep = 0 }
}

/* In the step that moves `exported`: what was there is evicted, and had no other fate. */
inline ghost_evicted() {
  i = EOFF(e);
  do
  :: i < COFF(c) -> k = data[b * CAP + i];
     if :: k != CTX && k != 0 -> assert(!was_acknowledged[k]); was_evicted[k] = 1 :: else fi; i++
  :: else -> break
  od;
  i = 0; k = 0
}

/* claim.cpp, take_over(): the offset is read behind the CAS; then the resource record. */
inline take_over() {
  d_step { c = committed[b]; off = COFF(c); n = CCOUNT(c); life = CLIFE(c); c = 0 };
#ifdef CONTEXT
  OR_DIE(d_step { assert(OWNED(b)); data[b * CAP + off] = CTX; off++ });
  OR_DIE(d_step { assert(OWNED(b)); committed[b] = COMMITTED(off, n, life) });
#endif
}

inline seal() {
  do
  :: b != NONE ->
     s = state[b];
     if :: ST(s) != OPEN || OWNER(s) != w || OGEN(s) != g -> break :: else fi;  /* superseded */
#ifdef M_R3_SEAL_BY_STORE
     OR_DIE(state[b] = AS(s, SEALED)); break
#else
     CAS(state[b], s, AS(s, SEALED));
     if :: ok -> break :: else fi
#endif
  :: b == NONE -> break
  od;
  skip;
  d_step { b = NONE; s = 0; ok = 0; off = 0; n = 0; life = 0 }
}

/* One store publishes the record and counts it (R2). */
inline commit(units) {
#ifdef M_R2_COUNT_APART
  d_step { assert(OWNED(b)); off = off + units; committed[b] = COMMITTED(off, n, life) };
  OR_DIE(d_step { n = (n + 1) & 15; was_committed[id] = 1; committed[b] = COMMITTED(off, n, life); id = 0 })
#else
  OR_DIE(d_step {
    assert(OWNED(b)); off = off + units; n = (n + 1) & 15;
    committed[b] = COMMITTED(off, n, life); was_committed[id] = 1; id = 0
  })
#endif
}

/* The next record's number; 0: all have been tried. */
inline next_record() { if :: next_id <= MAXR -> id = next_id; next_id++ :: else -> id = 0 fi }

#ifdef RUNS
#ifndef RB
#define RB 2                         /* blocks in a run */
#endif
#define RUN_END ((RB - 1) * CAP + 1) /* the record's end: in the last block */

/* A record larger than a block (R10). The head is claimed like any block, the others upwards from it; the record is
 * committed once, in the head. Without enough neighbours: back, downwards, and the head is an ordinary block. */
inline emit_run() {
  seal();
  scan(0);
#ifdef EVICTION
  if :: b == NONE -> evict() :: else fi;
#endif
  if
  :: b == NONE -> d_step { next_record(); id = 0 }  /* dropped */
  :: else ->
     take_over();
     j = 1;
     do
     :: j < RB ->
        ok = 0;
        if :: b + j < NB -> s = state[b + j];
              if :: ST(s) == FREE -> CAS(state[b + j], s, MINE(s, CONT, b + j)) :: else fi
           :: else fi;
        if :: ok -> j++ :: else -> break fi
     :: j >= RB -> break
     od;
     if
     :: j == RB ->
        OR_DIE(d_step {
          next_record();
          if :: id != 0 -> was_run[id] = 1; k = off; do :: k < RUN_END -> data[b * CAP + k] = id; k++ :: else -> break od; k = 0 :: else fi
        });
        if :: id != 0 -> k = RUN_END - off; commit(k); k = 0; seal() :: else fi
     :: else ->
        d_step { next_record(); id = 0 }  /* dropped: no room for a run */
     fi;
     /* Not written: back, downwards. (A thread that dies here leaves that to whoever recycles, evicts or adopts the head.) */
     if
     :: b != NONE ->
        do
        :: j > 1 -> j--; s = state[b + j];
           assert(ST(s) == CONT && OWNER(s) == w && OGEN(s) == g);
           CAS(state[b + j], s, STATE(FREE, 0, 0, 0, NEXT(BGEN(s)))); assert(ok)
        :: j <= 1 -> break
        od;
        skip;
#ifdef RELEASE_HEAD
        /* An untouched head can go back as well. */
        if :: off == 0 -> s = state[b]; CAS(state[b], s, STATE(FREE, 0, 0, 0, NEXT(BGEN(s)))); assert(ok); b = NONE :: true fi
#endif
     :: else -> skip
     fi
  fi;
  d_step { j = 0; s = 0; ok = 0 }
}
#endif

proctype Producer(byte me) {
  short s, c, e, x, y;
  byte w, g, t, i, b, off, n, life, id, k, j, top, cl, wd, ep;
  bit ok, gone, role = 0;
born:
  atomic {
    w = NW; g = 0; i = 0; b = NONE; off = 0; n = 0; life = 0; id = 0; k = 0; j = 0; top = 0; cl = 0; wd = 0; ep = 0;
    s = 0; c = 0; e = 0; x = 0; y = 0; ok = 0; gone = 0; t = 0;
    if :: lives < LIVES && next_id <= MAXR -> lives++; t = lives; alive[t] = 1 :: else -> goto done fi
  }
    register_thread();
    if :: w >= NW -> d_step { next_record(); id = 0 }; goto dead :: else fi;
    do
    :: next_id > MAXR -> break
#ifdef ENDS
    :: true -> break  /* a thread ends when it likes, with its block open */
#endif
    :: next_id <= MAXR ->
#ifdef RUNS
       if :: true -> emit_run(); goto again :: true fi;
#endif
#ifdef SEAL_EARLY
       if :: b != NONE && off > 0 -> seal() :: true fi;  /* a record that does not fit any more */
#endif
       if
       :: b != NONE && off < CAP -> skip
       :: else ->
          seal();
          scan(1);
#ifdef EVICTION
          if :: b == NONE -> evict() :: else fi;
#endif
          if :: b != NONE -> take_over() :: else fi
       fi;
       if
       :: b != NONE ->
          OR_DIE(d_step { next_record(); if :: id != 0 -> assert(OWNED(b)); data[b * CAP + off] = id :: else fi });
          if :: id != 0 -> commit(1) :: else fi
       :: else -> d_step { next_record(); id = 0 }  /* dropped: the ring is full */
       fi;
#ifdef RUNS
again: skip
#endif
    od;
  /* A thread that ends does nothing: the kernel marks its mutex, whatever the end (R9, R13). */
dead:
  skip;
#ifdef UNMARKED
  if :: skip :: alive[t] = 0; goto born fi;  /* ... but for some (R13) */
#endif
  d_step { alive[t] = 0; if :: w < NW && word[w] == t -> word[w] = DIED :: else fi };
  goto born;
done:
  pdone++
}
