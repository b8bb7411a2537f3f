// SPDX-License-Identifier: Apache-2.0
// A writing thread, and the thread after it: registration.cpp, claim.cpp, writer.hpp. Included by ring.pml, after evict.pml and run.pml.

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
#if defined(RUNS) && !defined(M_R10_ADOPTED_WITH_CONTS)
        /* A head whose run was given up half way is the flusher's, with what is to its right. (Only its owner could claim more.) */
        if :: gone && i + 1 < NB -> x = state[i + 1]; if :: ST(x) == CONT -> gone = 0 :: else fi; x = 0 :: else fi;
#endif
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

/* claim.cpp, take_over(): the offset is read behind the CAS; then the resource record. */
inline take_over() {
  d_step { c = committed[b]; off = COFF(c); n = CCOUNT(c); life = CLIFE(c); c = 0 };
#ifdef DAMAGE
  /* give_up() */
  if :: off + CONTEXT_UNITS + 1 > CAP -> s = state[b]; CAS(state[b], s, AS(s, SEALED)); d_step { b = NONE; s = 0; ok = 0; off = 0; n = 0; life = 0 } :: else fi;
#endif
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
inline commit(units, is_run) {
#ifdef M_R2_COUNT_APART
  d_step { assert(OWNED(b)); off = off + units; committed[b] = COMMITTED(off, n, life) };
  OR_DIE(d_step { n = (n + 1) & 15; was_committed[id] = 1; committed[b] = COMMITTED(off, n, life); id = 0 })
#else
  OR_DIE(d_step {
    assert(OWNED(b)); off = off + units; n = (n + 1) & 15;
    if :: off <= CAP && !is_run -> HEAD_LAST(b) :: else fi;
    committed[b] = COMMITTED(off, n, life); was_committed[id] = 1;
#ifdef DAMAGE
    if :: DAMAGED(b) -> was_exempt[id] = 1 :: else fi;
#endif
    id = 0
  })
#endif
}

/* The next record's number; 0: all have been tried. */
inline next_record() { if :: next_id <= MAXR -> id = next_id; next_id++ :: else -> id = 0 fi }

proctype Producer(byte me) {
  short s, c, e, x, y;
  byte w, g, t, i, b, off, n, life, id, k, j, top, cl, wd, ep;
#if defined(RUNS) && defined(EVICTION)
  byte first;
#endif
  bit ok, gone, role = 0;
born:
  atomic {
    w = NW; g = 0; i = 0; b = NONE; off = 0; n = 0; life = 0; id = 0; k = 0; j = 0; top = 0; cl = 0; wd = 0; ep = 0;
#if defined(RUNS) && defined(EVICTION)
    first = 0;
#endif
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
          if :: id != 0 -> commit(1, 0) :: else fi
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
