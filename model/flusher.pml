// SPDX-License-Identifier: Apache-2.0
// A flusher, its successor, and a stopped one that goes on: lease.cpp, reader.cpp, recycle.cpp. Included by ring.pml.

#define HOLDS_RECORDS(s) (ST(s) == OPEN || ST(s) == SEALED || ST(s) == EVICT)
#define OUTSTANDING(b) (done_off[b] < handed_off[b])

#ifdef M_NO_EPOCH_IN_CELLS
#define TAG_OF(p) 0
#else
#define TAG_OF(p) (p)
#endif

/* outcomes.cpp, fence_exported(). Leaves the word in `e`; ok == 0: given up. */
inline fence(b) {
  e = exported[b]; ok = 1;
#ifndef M_NO_FENCE
  do
  :: EEPOCH(e) == ep -> break
  :: EEPOCH(e) != ep ->
#ifndef M_FENCED_BACK
     /* Not the later holder's epoch back to mine: `e` was loaded before the header is. */
     if :: header_epoch != ep -> ok = 0; break :: else fi;
#endif
     OR_DIE(d_step {
       if :: exported[b] == e -> exported[b] = EXPORTED(EOFF(e), ECOUNT(e), ESET(e), ep); e = exported[b]
          :: else -> e = exported[b] fi
     })
  od;
  skip
#endif
}

/* recycle.cpp, recycle(), from the words s, e, c that were read. */
inline recycle(b) {
  ok = 1;
#ifdef CONT_FIRST
  free_conts(b, s);
#endif
#ifdef M_R7_SWAPPED
  if :: ok && EOFF(e) != 0 -> CAS(exported[b], e, EXPORTED(0, ECOUNT(e), ESET(e), EEPOCH(e))) :: else fi;
  if :: ok && COFF(c) != 0 -> CAS(committed[b], c, COMMITTED(0, CCOUNT(c), LIFE(CLIFE(c) + 1))) :: else fi;
#else
  if :: ok && COFF(c) != 0 -> CAS(committed[b], c, COMMITTED(0, CCOUNT(c), LIFE(CLIFE(c) + 1))) :: else fi;
  if :: ok && EOFF(e) != 0 -> CAS(exported[b], e, EXPORTED(0, ECOUNT(e), ESET(e), EEPOCH(e))) :: else fi;
#endif
#ifdef M_R10_HEAD_FIRST
  if :: ok -> recycle_head(b) :: else fi;
  if :: ok -> s = state[b]; free_conts(b, s) :: else fi
#else
#ifndef CONT_FIRST
  if :: ok -> free_conts(b, s) :: else fi;
#endif
  if :: ok -> recycle_head(b) :: else fi
#endif
}
inline recycle_head(b) {
  OR_DIE(d_step {
    if :: state[b] == s -> ok = 1; assert(COFF(committed[b]) == 0 && EOFF(exported[b]) == 0 && CCOUNT(committed[b]) == ECOUNT(exported[b]));
          state[b] = STATE(FREE, 0, 0, 0, NEXT(BGEN(s))); k = 0; do :: k < CAP -> data[b * CAP + k] = 0; k++ :: else -> break od; k = 0
       :: else -> ok = 0 fi
  })
}

/* reader.cpp, settle(): recycles what is done, seals an orphan that is exported, unpins the rest. */
inline settle(b) {
  do
  :: OUTSTANDING(b) -> break
  :: !OUTSTANDING(b) ->
#ifdef M_R4_COMMITTED_FIRST
     c = committed[b];
#endif
     s = state[b]; gone = 0;
     if :: HOLDS_RECORDS(s) && ST(s) != SEALED -> owner_gone(OWNER(s), OGEN(s))
        :: HOLDS_RECORDS(s) && ST(s) == SEALED -> skip
        :: else -> break fi;
     e = exported[b];
#ifndef M_R4_COMMITTED_FIRST
     c = committed[b];
#endif
#ifndef M_LIFE_NOT_LOOKED_AT
     /* What was read is of one life. (A flusher that stood still here may have read the words of a later one.) */
     if :: state[b] == s -> ok = 1 :: else -> ok = 0 fi;
#else
     ok = 1;
#endif
     if
     :: !ok -> skip
     :: ok && ST(s) == SEALED && NOTHING_LEFT(c, e) -> recycle(b); break
     :: ok && ST(s) != SEALED && gone && NOTHING_LEFT(c, e) ->
        CAS(state[b], s, AS(s, SEALED));
        if :: !ok -> break :: else fi;  /* adopted */
#ifdef M_ORPHAN_NOT_READ_AGAIN
        s = AS(s, SEALED); recycle(b); break
#endif
     :: else ->
#ifndef M_PIN_WITHOUT_NAME
        /* A pin is taken away only by the flusher that it names, and only while that flusher holds the lease. */
        if :: PIN(s) != MY_PIN -> break :: else fi;
        if :: header_epoch != ep -> break :: else fi;
#endif
        if :: PIN(s) == 0 -> break :: else -> CAS(state[b], s, PINNED(s, 0)); if :: ok -> break :: else fi fi
     fi
  od;
  skip;
  d_step { s = 0; e = 0; c = 0; gone = 0; ok = 0 }
}

/* reader.cpp, advance(): moves `exported` from (from, before) to (to, after) in life `gen`. ok == 0: superseded. */
inline advance(b, a_gen, a_from, a_before, a_to, a_after, a_kind) {
  ok = (header_epoch == ep);
  if :: ok -> s = state[b]; e = exported[b];
        d_step { ok = (BGEN(s) == a_gen && EOFF(e) == a_from && ECOUNT(e) == a_before);
#ifndef M_NO_FENCE
                 if :: EEPOCH(e) != ep -> ok = 0 :: else fi
#endif
        }
     :: else fi;
  if :: ok -> fill_other_set(b, e, a_kind, ((a_after - a_before) & 15), TAG_OF(ep)) :: else fi;
  if :: ok -> OR_DIE(d_step {
          ok = 0;
          if :: exported[b] == e -> exported[b] = EXPORTED(a_to, a_after, 1 - ESET(e), EEPOCH(e)); ok = 1; CLOSES(b);
                if :: a_kind == ACCEPTED -> ghost_accepted() :: else fi
             :: else fi
        })
     :: else fi
}
/* In the step that moves `exported`: the first slice's records have their fate. */
inline ghost_accepted() {
  k = 0;
  do
  :: k < 8 && q_id[k] != 0 -> if :: q_id[k] != CTX -> assert(!was_evicted[q_id[k]]); was_acknowledged[q_id[k]] = 1 :: else fi; k++
  :: else -> break
  od;
  k = 0
}

/* reader.cpp, acknowledge(): the oldest slice has been accepted. */
inline acknowledge() {
  b = q_block[0];
  if
  :: track_gen[b] == q_gen[0] && OUTSTANDING(b) -> advance(b, q_gen[0], q_from[0], q_before[0], q_to[0], q_after[0], ACCEPTED)
  :: else -> ok = 0
  fi;
  /* Nobody but a later holder of the lease can have come between: a slice on its way is pinned. */
  d_step {
    assert(ok || header_epoch != ep);
    if :: ok -> done_off[b] = q_to[0] :: else fi;
    /* the queue moves up */
    q_block[0] = q_block[1]; q_gen[0] = q_gen[1]; q_from[0] = q_from[1]; q_to[0] = q_to[1]; q_before[0] = q_before[1]; q_after[0] = q_after[1];
    q_block[1] = 0; q_gen[1] = 0; q_from[1] = 0; q_to[1] = 0; q_before[1] = 0; q_after[1] = 0;
    k = 0; do :: k < 8 -> q_id[k] = q_id[8 + k]; q_id[8 + k] = 0; k++ :: else -> break od; k = 0;
    queued--; s = 0; e = 0
  };
  if :: ok -> settle(b) :: else fi;
  d_step { b = 0; ok = 0 }
}

/* reader.cpp, visit() and hand_out() */
inline visit(b) {
  s = state[b]; gone = 1;
#ifndef M_R8_LIVE_EVICTOR_DRAINED
  if :: ST(s) == EVICT -> owner_gone(OWNER(s), OGEN(s)) :: else fi;
#endif
  if
  :: HOLDS_RECORDS(s) && gone ->
     d_step { if :: track_gen[b] != BGEN(s) -> track_gen[b] = BGEN(s); handed_off[b] = 0; handed_count[b] = 0; done_off[b] = 0 :: else fi };
     fence(b);
     if
     :: ok ->
        c = committed[b];
        d_step { if :: !OUTSTANDING(b) -> done_off[b] = EOFF(e); handed_off[b] = EOFF(e); handed_count[b] = ECOUNT(e) :: else fi };
#ifdef RUNS
        /* `committed` may reach into the CONT blocks directly to the right, no further. */
        top = b;
        do
        :: COFF(c) > (top - b + 1) * CAP && !NOTHING_LEFT(c, e) ->
           assert(top + 1 < NB); x = state[top + 1];
           if :: ST(x) == CONT -> top++ :: else -> top = NONE; break fi
        :: else -> break
        od;
        if :: top == NONE -> d_step { assert(committed[b] != c); ok = 0 } :: else fi;  /* only if it was being recycled: look again another time */
        d_step { top = 0; x = 0 };
#endif
        if
        :: !ok -> skip
        :: ok && COFF(c) <= handed_off[b] -> settle(b)
        :: ok && COFF(c) > handed_off[b] ->
           d_step { from = handed_off[b]; before = handed_count[b] };
#ifndef M_R5_NO_PIN
           if :: PIN(s) != MY_PIN -> CAS(state[b], s, PINNED(s, MY_PIN)); s = PINNED(s, MY_PIN) :: else fi;
#endif
           if
           :: !ok -> skip
           :: ok && CCOUNT(c) == before ->
              if :: !OUTSTANDING(b) -> k = BGEN(s); n = COFF(c); advance(b, k, from, before, n, before, EVICTED); if :: ok -> settle(b) :: else fi
                 :: else fi
           :: ok && CCOUNT(c) != before -> hand_out(b)
           fi
        fi
     :: else
     fi
  :: else
  fi;
  d_step { s = 0; e = 0; c = 0; x = 0; y = 0; gone = 0; ok = 0; from = 0; before = 0; k = 0; n = 0; top = 0 }
}

inline hand_out(b) {
#ifdef RUNS
  /* the head's bytes, then those to its right */
  d_step { k = from; do :: k < COFF(c) && k < CAP -> q_id[queued * 8 + k - from] = data[b * CAP + k]; k++ :: else -> break od };
  d_step { do :: k < COFF(c) -> q_id[queued * 8 + k - from] = data[b * CAP + k]; k++ :: else -> break od; k = 0 };
#else
  d_step { k = from; do :: k < COFF(c) -> q_id[queued * 8 + k - from] = data[b * CAP + k]; k++ :: else -> break od; k = 0 };
#endif
#ifndef M_R5_NOT_LOOKED_AGAIN
  d_step { x = state[b]; ok = (BGEN(x) == BGEN(s) && OWNER(x) == OWNER(s) && OGEN(x) == OGEN(s) && PIN(x) == PIN(s)) };
#endif
#ifdef RUNS
#ifndef M_R10_COMMITTED_NOT_LOOKED_AT
  /* A run's other blocks are freed while the head still is in this life, but not before `committed` is reset. */
  d_step { x = committed[b]; if :: CLIFE(x) != CLIFE(c) -> ok = 0 :: else fi };
#endif
#endif
  d_step {
    if
    :: ok ->
       /* delivered, from here on */
       k = 0; n = 0;
       do
       :: k < COFF(c) - from ->
          x = q_id[queued * 8 + k];
          assert(x != 0);
          if :: x != CTX ->
                assert(was_committed[x]);
                if :: header_epoch == ep -> assert(!was_acknowledged[x]); assert(!was_evicted[x]) :: else fi;  /* never after its fate */
                if :: was_run[x] && k > 0 && q_id[queued * 8 + k - 1] == x -> skip :: else -> n++ fi;
                if :: was_run[x] && n > 0 -> assert(q_id[queued * 8 + COFF(c) - from - 1] == x) :: else fi  /* a run is whole */
             :: else fi;
          k++
       :: else -> break
       od;
       assert(n == ((CCOUNT(c) - before) & 15));
       q_block[queued] = b; q_gen[queued] = BGEN(s); q_from[queued] = from; q_to[queued] = COFF(c);
       q_before[queued] = before; q_after[queued] = CCOUNT(c);
       queued++; handed_off[b] = COFF(c); handed_count[b] = CCOUNT(c)
    :: else -> k = 0; do :: k < 8 -> q_id[queued * 8 + k] = 0; k++ :: else -> break od
    fi;
    k = 0; n = 0; x = 0
  }
}

proctype Flusher(byte me) {
  short s, e, c, x, y;
  byte b, ep, k, n, top, cl, wd, from, before, i, passes, queued;
  bit ok, gone, last, role = 1;
  byte track_gen[NB], handed_off[NB], handed_count[NB], done_off[NB];
  byte q_block[2], q_gen[2], q_from[2], q_to[2], q_before[2], q_after[2], q_id[16];
born:
  skip;
  d_step {
    s = 0; e = 0; c = 0; x = 0; y = 0; b = 0; ep = 0; k = 0; n = 0; top = 0; cl = 0; wd = 0; from = 0; before = 0; i = 0; passes = 0; queued = 0;
    ok = 0; gone = 0; last = 0;
    do :: b < NB -> track_gen[b] = NONE; handed_off[b] = 0; handed_count[b] = 0; done_off[b] = 0; b++ :: else -> break od;
    b = 0; do :: b < 2 -> q_block[b] = 0; q_gen[b] = 0; q_from[b] = 0; q_to[b] = 0; q_before[b] = 0; q_after[b] = 0; b++ :: else -> break od;
    b = 0; do :: b < 16 -> q_id[b] = 0; b++ :: else -> break od;
    b = 0
  };
#ifdef LATE
    (pdone == NP);  /* away while the producers are there: a small space for what goes on among them */
#endif
    /* The lease: free, or taken away from a holder that goes on. */
    if
    :: atomic { lease == 0 -> lease = me + 1 }
    :: atomic { lease != 0 && steals > 0 -> steals--; lease = me + 1 }
    :: pdone == NP && fdone > 0 && ALL_FREE -> goto end
    fi;
    d_step { header_epoch++; ep = header_epoch };
    /* reader.cpp, fence_predecessors() */
    do
    :: b < NB ->
       s = state[b];
       if :: HOLDS_RECORDS(s) -> fence(b) :: else fi;
#ifndef M_PIN_WITHOUT_NAME
       do
       :: PIN(s) != 0 && PIN(s) != MY_PIN && HOLDS_RECORDS(s) ->
          if :: header_epoch != ep -> break :: else fi;
          OR_DIE(d_step { if :: state[b] == s -> state[b] = PINNED(s, MY_PIN); s = state[b] :: else -> s = state[b] fi })
       :: else -> break
       od;
#endif
       b++
    :: b >= NB -> break
    od;
    skip;
    d_step { b = 0; s = 0; e = 0; ok = 0 };
    do
    :: header_epoch != ep -> break  /* superseded: a drain that finds it so does nothing more */
    :: header_epoch == ep ->
       d_step { last = (pdone == NP); b = 0 };
#ifdef UNMARKED
#ifndef M_R13_PROC_NOT_ASKED
       /* ask_proc(): holders whose end the kernel did not mark */
       i = 0;
       do
       :: i < NW ->
          cl = claim[i];
          if :: CPHASE(cl) == HELD -> d_step { gone = (word[i] == CTID(cl) && !alive[CTID(cl)]) };
#ifdef M_R15_VACATE_USES_GENERATIONS
                if :: gone -> CAS(claim[i], cl, CLAIM(((CGEN(cl) + 1) % GMOD), VACANT, 0)) :: else fi
#else
                if :: gone -> CAS(claim[i], cl, CLAIM(CGEN(cl), VACANT, 0)) :: else fi
#endif
             :: else fi;
          i++
       :: i >= NW -> break
       od;
       skip;
       d_step { i = 0; cl = 0; gone = 0; ok = 0 };
#endif
#endif
       do
       :: b < NB -> i = b; visit(i);
          /* Answers come whenever they like. */
          do
          :: queued > 0 -> i = b; acknowledge(); b = i
          :: queued < SLICES -> break
          od;
          b++; i = 0
       :: b >= NB -> break
       od;
       b = 0;
       do
       :: queued > 0 && last -> acknowledge()
       :: queued == 0 || !last -> break
       od;
       if
       :: last && (ALL_FREE || passes >= 3) -> break
       :: last && !ALL_FREE && passes < 3 -> if :: fdone + 1 >= NF -> passes++ :: else -> skip fi
       :: !last -> skip
       fi
    od;
    skip;
    d_step { if :: lease == me + 1 -> lease = 0 :: else fi }
  goto end;
dead:
  skip;
  d_step { if :: lease == me + 1 -> lease = 0 :: else fi };
  goto born;
end:
  fdone++
}
