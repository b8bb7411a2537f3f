// SPDX-License-Identifier: Apache-2.0
// A flusher, its successor, and a stopped one that goes on: lease.cpp, reader.cpp, drain.cpp. Included by ring.pml, after settle.pml.

/* reader.cpp, acknowledge(): a block's oldest slice has been accepted, or the beginning of it (PARTIAL). */
inline acknowledge() {
  q = 0;
#ifdef PARTIAL
  if :: true :: queued > 1 && q_block[1] != q_block[0] -> q = 1 fi;
#endif
  d_step { b = q_block[q]; top = q_to[q]; cl = q_after[q] };
#ifdef PARTIAL
  /* One unit of it only. */
  if :: true
     :: q_to[q] - q_from[q] > 1 -> d_step { top = q_from[q] + 1; if :: q_id[q * 8] != CTX -> cl = ((q_before[q] + 1) & 15) :: else -> cl = q_before[q] fi }
  fi;
#ifdef M_PARTIAL_COUNTS_ALL
  cl = q_after[q];
#endif
#endif
  if
  :: track_gen[b] == q_gen[q] && OUTSTANDING(b) -> advance(b, q_gen[q], q_from[q], q_before[q], top, cl, ACCEPTED)
  :: else -> ok = 0
  fi;
  /* Nobody but a later holder of the lease can have come between: a slice on its way is pinned. */
  d_step {
    assert(ok || header_epoch != ep || DAMAGED(b));
    if
    :: ok ->
#ifdef M_PARTIAL_IS_ALL
       done_off[b] = q_to[q]
#else
       done_off[b] = top
#endif
#ifdef DAMAGE
    :: !ok && header_epoch == ep -> track_gen[b] = NONE; done_off[b] = 0; handed_off[b] = 0; handed_count[b] = 0  /* handed out again */
#endif
    :: else
    fi;
    if
    :: ok && top != q_to[q] ->
       n = top - q_from[q];
       k = 0; do :: k < 8 && k + n < 8 -> q_id[q * 8 + k] = q_id[q * 8 + k + n]; k++ :: k < 8 && k + n >= 8 -> q_id[q * 8 + k] = 0; k++ :: else -> break od;
       q_from[q] = top; q_before[q] = cl
    :: else -> drop_slice()
    fi;
    k = 0; n = 0; s = 0; e = 0; top = 0; cl = 0
  };
  if :: ok -> settle(b) :: else fi;
  d_step { b = 0; ok = 0; q = 0 }
}
/* In a step: slice `q` leaves the queue. */
inline drop_slice() {
  if
  :: q == 0 ->
     q_block[0] = q_block[1]; q_gen[0] = q_gen[1]; q_from[0] = q_from[1]; q_to[0] = q_to[1]; q_before[0] = q_before[1]; q_after[0] = q_after[1];
     k = 0; do :: k < 8 -> q_id[k] = q_id[8 + k]; k++ :: else -> break od
  :: else
  fi;
  q_block[1] = 0; q_gen[1] = 0; q_from[1] = 0; q_to[1] = 0; q_before[1] = 0; q_after[1] = 0;
  k = 0; do :: k < 8 -> q_id[8 + k] = 0; k++ :: else -> break od;
  k = 0; queued--
}

#ifdef RELEASE
/* reader.cpp, release_all(): what is on its way is given back, and its answers are not heard any more. */
inline release_all() {
  d_step { do :: queued > 0 -> q = 0; drop_slice() :: else -> break od };
  i = 0;
  do
  :: i < NB ->
     if
     :: OUTSTANDING(i) ->
#ifdef M_RELEASE_NOT_FORGOTTEN
        s = state[i]; CAS(state[i], s, PINNED(s, 0));
#else
        d_step { track_gen[i] = NONE; handed_off[i] = 0; handed_count[i] = 0; done_off[i] = 0 };
#endif
        settle(i)
     :: else
     fi;
     i++
  :: i >= NB -> break
  od;
  i = 0
}
#endif

/* drain.cpp, visit() and hand_out() */
inline visit(b) {
  s = state[b]; gone = 1;
#ifndef M_R8_LIVE_EVICTOR_DRAINED
  if :: ST(s) == EVICT -> owner_gone(OWNER(s), OGEN(s)) :: else fi;
#endif
  if
  :: HOLDS_RECORDS(s) && gone ->
     d_step { if :: track_gen[b] != BGEN(s) -> track_gen[b] = BGEN(s); handed_off[b] = 0; handed_count[b] = 0; done_off[b] = 0 :: else fi };
     fence(b);
     if :: ok -> c = committed[b]; look_at(b) :: else fi
  :: else
  fi;
  d_step { s = 0; e = 0; c = 0; x = 0; y = 0; gone = 0; ok = 0; from = 0; before = 0; k = 0; n = 0; top = 0 }
}
/* ... with s, e, c read in this order (R4). */
inline look_at(b) {
  d_step { if :: !OUTSTANDING(b) -> done_off[b] = EOFF(e); handed_off[b] = EOFF(e); handed_count[b] = ECOUNT(e) :: else fi };
  if
  :: NOTHING_LEFT(c, e) -> settle(b)
  :: !NOTHING_LEFT(c, e) && OUTSTANDING(b) && COFF(c) <= handed_off[b] -> skip  /* all of it is on its way */
  :: else ->
     ok = 1;
#ifndef M_R5_NO_PIN
#ifdef M_WRITE_OFF_UNPINNED
     CONTRADICTORY(b); if :: x -> write_off(b); ok = 0 :: else -> ok = 1 fi; x = 0;
     if :: ok && PIN(s) != MY_PIN -> CAS(state[b], s, PINNED(s, MY_PIN)); s = PINNED(s, MY_PIN) :: else fi;
#else
     if :: PIN(s) != MY_PIN -> CAS(state[b], s, PINNED(s, MY_PIN)); s = PINNED(s, MY_PIN) :: else fi;
#endif
#endif
     if :: ok -> read_pinned(b) :: else fi
  fi
}
inline read_pinned(b) {
  CONTRADICTORY(b);
  if
  :: x -> x = 0; write_off(b)
  :: else ->
     d_step { from = handed_off[b]; before = handed_count[b] };
     if
     :: CCOUNT(c) == before ->
        if :: !OUTSTANDING(b) -> k = BGEN(s); n = COFF(c); advance(b, k, from, before, n, before, EVICTED); if :: ok -> settle(b) :: else fi
           :: else fi
     :: CCOUNT(c) != before -> hand_out(b)
     fi
  fi
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
          assert(x != 0 || DAMAGED(b));
          if :: DAMAGED(b) || x == 0 -> skip  /* what the counters promise and the bytes do not hold is found by whoever walks them */
             :: !DAMAGED(b) && x != CTX && x != 0 ->
                assert(was_committed[x]);
                if :: header_epoch == ep -> assert(!was_acknowledged[x]); assert(!was_evicted[x]) :: else fi;  /* never after its fate */
                if :: was_run[x] && k > 0 && q_id[queued * 8 + k - 1] == x -> skip :: else -> n++ fi;
                if :: was_run[x] && n > 0 -> assert(q_id[queued * 8 + COFF(c) - from - 1] == x) :: else fi  /* a run is whole */
             :: else fi;
          k++
       :: else -> break
       od;
       assert(n == ((CCOUNT(c) - before) & 15) || DAMAGED(b));
       q_block[queued] = b; q_gen[queued] = BGEN(s); q_from[queued] = from; q_to[queued] = COFF(c);
       q_before[queued] = before; q_after[queued] = CCOUNT(c);
       queued++; handed_off[b] = COFF(c); handed_count[b] = CCOUNT(c)
    :: else -> k = 0; do :: k < 8 -> q_id[queued * 8 + k] = 0; k++ :: else -> break od
    fi;
    k = 0; n = 0; x = 0
  }
}

#ifdef MEND
/* drain.cpp, mend_state(): a CONT of an owner that is gone and that no head reaches. None is left behind by what the model does. */
inline mend(b) {
  x = state[b]; gone = 0;
  if :: ST(x) == CONT -> owner_gone(OWNER(x), OGEN(x)) :: else fi;
  if
  :: gone ->
#ifndef M_R10_MENDED_BY_OWNER
     top = b; s = x;
     do :: top > 0 && ST(s) == CONT -> top--; s = state[top] :: else -> break od;
     if :: HOLDS_RECORDS(s) -> gone = 0 :: else fi;
#endif
     if :: gone -> CAS(state[b], x, PINNED(AS(x, SEALED), 0)) :: else fi
  :: else
  fi;
  d_step { s = 0; x = 0; top = 0; gone = 0; ok = 0 }
}
#endif

proctype Flusher(byte me) {
  short s, e, c, x, y;
  byte b, ep, k, n, top, cl, wd, from, before, i, passes, queued, q;
  bit ok, gone, last, role = 1;
  byte track_gen[NB], handed_off[NB], handed_count[NB], done_off[NB];
  byte q_block[2], q_gen[2], q_from[2], q_to[2], q_before[2], q_after[2], q_id[16];
born:
  skip;
  d_step {
    s = 0; e = 0; c = 0; x = 0; y = 0; b = 0; ep = 0; k = 0; n = 0; top = 0; cl = 0; wd = 0; from = 0; before = 0; i = 0; passes = 0; queued = 0; q = 0;
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
       d_step { last = (pdone == NP DAMAGE_OVER); b = 0 };
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
#ifdef MEND
       do :: b < NB -> mend(b); b++ :: b >= NB -> break od;
       b = 0;
#endif
       do
       :: b < NB -> i = b; visit(i);
#ifdef RELEASE
          if :: releases > 0 -> releases--; cl = b; release_all(); b = cl; cl = 0; if :: goto dead :: true fi :: true fi;
#endif
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
