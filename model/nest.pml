// SPDX-License-Identifier: Apache-2.0
// One thread and its signal handlers (R20): emits that interrupt emits, and emits that are left by longjmp.
//
// A frame is the thread's main function (0) or a handler; only the topmost runs. A handler can begin at any step of the frame
// below, and can leave by longjmp at any step, into any frame below: what lay between is never finished. A level is a
// set of blocks of its own, under the thread's one identity; an emit takes the lowest level that nobody uses.
//
// The steps, for the code:
//   emit        1. L = the lowest level with busy[L] == 0, or whose emit is known to have been left. None: the record is dropped, counted.
//               2. busy[L] = this frame's address (one word; 0 is free)
//               3. if inside[L]: an emit of this level was left half way, its list may be behind `committed`: forgot[L] = 1, list[L] = none
//               4. inside[L] = 1 ... the emit ... 5. inside[L] = 0  6. busy[L] = 0
//   claim       1. if claiming[L] or forgot[L] (an emit of this level was left) and no other level is claiming:
//                  every OPEN block with my (slot, generation) that is in no level's list is sealed, by CAS; forgot[L] = 0. A level that is claiming
//                  may have won a block that is not in its list yet: then the sweep waits for a later claim (forgot[L] = 1).
//               2. claiming[L] = 1   3. CAS FREE -> OPEN(me)   4. list[L] = block, offset   5. claiming[L] = 0
//   known left  frame addresses tell, on one and the same stack only: an emit whose frame lies at or below the present one is over. Not knowing is
//               always allowed (KNOWN decides freely): the level is then lost to the thread until it ends, and its block with it; never one that is in use.
#ifndef NB
#define NB 4
#endif
#ifndef FRAMES
#define FRAMES 3
#endif
#ifndef EMITS
#define EMITS 5
#endif
#ifndef JUMPS
#define JUMPS 2
#endif
#define LEVELS 2
#define CAP 2
#define FREE 0
#define OPEN 1
#define SEALED 2
#define NONE 15

byte st[NB], gen[NB], committed[NB];  /* all OPEN blocks are this thread's */
bit taken[NB * CAP];                  /* the bytes of a committed record */
bit busy[LEVELS], inside[LEVELS], claiming[LEVELS], forgot[LEVELS];
byte holder[LEVELS];                  /* whose frame began the emit */
byte list[LEVELS], off[LEVELS];
byte top;                             /* the frame that runs */
bit left[FRAMES];                     /* its emit was left by longjmp */
byte emits = EMITS, jumps = JUMPS;
bit not_known;                        /* a left emit was not recognised */
bit over;

#define LISTED(b) (list[0] == (b) || list[1] == (b))
#define OTHER_CLAIMS(L) (claiming[1 - (L)])

inline choose_level() {
  L = 0;
  do
  :: L < LEVELS && !busy[L] -> break
  :: L < LEVELS && busy[L] ->
     if
     :: holder[L] >= k ->  /* left, in truth */
        if
        :: break
        :: not_known = 1; L++
        fi
     :: holder[L] < k -> L++
     fi
  :: L >= LEVELS -> break
  od
}

inline sweep() {
  if
#ifdef M_R20_NO_FLAG
  :: false -> skip
#endif
#ifdef M_R20_SWEEP_ANYWAY
  :: claiming[L] || forgot[L] ->
#else
  :: (claiming[L] || forgot[L]) && OTHER_CLAIMS(L) -> forgot[L] = 1
  :: (claiming[L] || forgot[L]) && !OTHER_CLAIMS(L) ->
#endif
     i = 0;
     do
     :: i < NB ->
#ifdef M_R20_OWN_LIST_ONLY
        if :: st[i] == OPEN && list[L] != i -> st[i] = SEALED
#else
        if :: st[i] == OPEN && !LISTED(i) -> d_step { if :: st[i] == OPEN -> st[i] = SEALED :: else fi }
#endif
           :: else fi;
        i++
     :: i >= NB -> break
     od;
     forgot[L] = 0
  :: else -> skip
  fi
}

inline claim() {
  sweep();
#ifndef M_R20_FLAG_AFTER_CAS
  claiming[L] = 1;
#endif
  i = 0; b = NONE;
  do
  :: i < NB -> d_step { if :: st[i] == FREE -> st[i] = OPEN; b = i :: else fi }; if :: b != NONE -> break :: else -> i++ fi
  :: i >= NB -> break
  od;
#ifdef M_R20_FLAG_AFTER_CAS
  claiming[L] = 1;
#endif
#ifdef M_R20_FLAG_CLEARED_FIRST
  claiming[L] = 0;
#endif
  if :: b != NONE -> off[L] = committed[b] :: else fi;
  list[L] = b;
  claiming[L] = 0
}

inline emit() {
  choose_level();
  if
  :: L < LEVELS ->
     d_step { busy[L] = 1; holder[L] = k };  /* one word: the frame's address */
#ifndef M_R20_LIST_KEPT
     /* Still inside: that emit was left, perhaps by a handler between the look at busy[L] and this one's store. */
     if :: inside[L] -> forgot[L] = 1; list[L] = NONE :: else -> skip fi;
#endif
     inside[L] = 1;
     if
     :: list[L] != NONE && off[L] < CAP -> skip
     :: else ->
        if :: list[L] != NONE -> d_step { assert(st[list[L]] == OPEN); st[list[L]] = SEALED }; list[L] = NONE :: else fi;
        claim()
     fi;
     if
     :: list[L] != NONE ->
        d_step { assert(st[list[L]] == OPEN); assert(!taken[list[L] * CAP + off[L]]); assert(off[L] == committed[list[L]]) };
        d_step { assert(st[list[L]] == OPEN); taken[list[L] * CAP + off[L]] = 1; committed[list[L]] = off[L] + 1 };
        off[L] = off[L] + 1
     :: else -> skip  /* dropped: the ring is full */
     fi;
     inside[L] = 0;
     busy[L] = 0
  :: else -> skip     /* dropped: nested too deeply */
  fi
}

proctype Frame(byte k) provided (top == _pid - 1) {
  byte L, b, i;
begin:
  skip;
  d_step { left[k] = 0; L = 0; b = 0; i = 0 };
  {
    do
    :: atomic { emits > 0 -> emits-- }; emit()
    :: k == 0 && emits == 0 -> break
    :: k > 0 -> top = k - 1
    od;
    /* Quiet: one claim more, and nothing that this thread forgot is left. */
    L = 0;
    if
    :: !busy[0] && !busy[1] ->
       if :: list[0] != NONE -> d_step { st[list[0]] = SEALED; list[0] = NONE } :: else fi;
#ifdef M_R20_NO_FLAG
       skip;
#else
       do :: forgot[1] || claiming[1] -> L = 1; claiming[0] = 0; sweep(); claiming[1] = 0; forgot[1] = 0 :: else -> break od;
#endif
       L = 0; claim(); skip;
       d_step { i = 0; do :: i < NB -> assert(not_known || st[i] != OPEN || LISTED(i)); i++ :: else -> break od }
    :: else -> skip
    fi;
    over = 1; (false)
  } unless { left[k] };
  goto begin
}

/* A signal comes. */
proctype Signals() {
  do
  :: atomic { !over && top < FRAMES - 1 && emits > 0 -> top++ }
  :: atomic { jumps > 0 && top > 0 && !over -> jumps--;
       if
       :: top == 1 -> left[1] = 1; left[0] = 1; top = 0
       :: top == 2 -> left[2] = 1; left[1] = 1; if :: top = 1 :: left[0] = 1; top = 0 fi
       :: else
       fi }
  :: over -> break
  od
}

/* Whatever is sealed is drained and recycled. */
proctype Recycler() {
  byte i;
end:
  do
  :: atomic { st[0] == SEALED -> i = 0; st[i] = FREE; committed[i] = 0; taken[i * CAP] = 0; taken[i * CAP + 1] = 0 }
  :: atomic { st[1] == SEALED -> i = 1; st[i] = FREE; committed[i] = 0; taken[i * CAP] = 0; taken[i * CAP + 1] = 0; i = 0 }
  :: atomic { st[2] == SEALED -> i = 2; st[i] = FREE; committed[i] = 0; taken[i * CAP] = 0; taken[i * CAP + 1] = 0; i = 0 }
  :: atomic { st[3] == SEALED -> i = 3; st[i] = FREE; committed[i] = 0; taken[i * CAP] = 0; taken[i * CAP + 1] = 0; i = 0 }
  od
}

init {
  atomic {
    list[0] = NONE; list[1] = NONE;
    run Frame(0); run Frame(1); run Frame(2); run Signals(); run Recycler()
  }
}
