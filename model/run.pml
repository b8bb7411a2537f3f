// SPDX-License-Identifier: Apache-2.0
// Runs of blocks (R10), on their writer's side: run.cpp. Included by ring.pml; the freeing of CONT blocks is there.

#ifdef RUNS
#ifndef RB
#define RB 2                         /* blocks in a run */
#endif
#define RUN_END ((RB - 1) * CAP + 1) /* the record's end: in the last block */

/* run.cpp, claim_at(): the run whose head is `i`. Somebody is in the way: nothing of it is kept. */
inline claim_run_at() {
  s = state[i]; ok = 0; b = NONE; j = 0;
  if :: ST(s) == FREE -> claim_free(i) :: else fi;
  if
  :: ok ->
     b = i; j = 1;
     do
     :: j < RB ->
        s = state[b + j]; ok = 0;
        if :: ST(s) == FREE -> CAS(state[b + j], s, MINE(s, CONT, b + j)) :: else fi;
        if :: ok -> j++ :: else -> break fi
     :: j >= RB -> break
     od;
     if
     :: j < RB ->
        give_conts_back();
        /* Still empty, so nobody has pinned it. */
        s = state[b]; HEAD_LAST(b); CAS(state[b], s, STATE(FREE, 0, 0, 0, NEXT(BGEN(s)))); assert(ok); b = NONE
     :: else
     fi
  :: else
  fi
}
/* CONT(me) -> FREE, downwards. (Who dies here leaves that to whoever recycles or evicts the head.) */
inline give_conts_back() {
  do
  :: j > 1 -> j--; s = state[b + j];
     assert(ST(s) == CONT && OWNER(s) == w && OGEN(s) == g);
     CAS(state[b + j], s, STATE(FREE, 0, 0, 0, NEXT(BGEN(s)))); assert(ok)
  :: j <= 1 -> break
  od;
  skip
}

/* run.cpp, scan_for_run(): where enough neighbours are FREE. */
inline scan_for_run() {
  i = 0;
  do
  :: i + RB <= NB ->
     j = 0;
     do :: j < RB -> s = state[i + j]; if :: ST(s) == FREE -> j++ :: else -> break fi :: else -> break od;
     if :: j == RB -> claim_run_at() :: else fi;
     if :: b != NONE -> break :: else -> i++ fi
  :: else -> break
  od
}

#ifdef EVICTION
/* evict.cpp, evict_neighbours(): makes neighbours FREE, downwards, with the runs that they belong to. Any neighbours here. */
inline evict_neighbours() {
  first = 0;
  do :: first + RB < NB -> first++ :: true -> break od;
  j = RB;
  do
  :: j > 0 ->
     j--; i = first + j; s = state[i];
     do :: ST(s) == CONT && i > 0 -> i--; s = state[i] :: else -> break od;
     if
     :: ST(s) != FREE -> begin_eviction(); if :: ok -> empty_out(); begin_life(STATE(FREE, 0, 0, 0, NEXT(BGEN(s)))); b = NONE :: else fi
     :: else
     fi;
  :: j == 0 -> break
  od
}
#endif

/* A record larger than a block (R10): committed once, in the head, and sealed at once. */
inline emit_run() {
  seal();
  scan_for_run();
#ifdef EVICTION
  if :: b == NONE -> evict_neighbours(); i = first; first = 0; claim_run_at() :: else fi;
#endif
  if
  :: b == NONE -> d_step { next_record(); id = 0 }  /* dropped */
  :: else ->
     j = RB;
     take_over();
     if
     :: true ->
        OR_DIE(d_step {
          next_record();
          if :: id != 0 -> was_run[id] = 1; k = off; do :: k < RUN_END -> data[b * CAP + k] = id; k++ :: else -> break od; k = 0 :: else fi
        });
        if :: id != 0 -> k = RUN_END - off; commit(k, 1); k = 0; seal() :: else fi
     :: true -> next_record(); id = 0  /* abandoned */
     fi;
     if :: b != NONE -> give_conts_back() :: else fi  /* the head is an ordinary block */
  fi;
  d_step { j = 0; s = 0; ok = 0; i = 0 }
}
#endif
