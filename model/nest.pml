// SPDX-License-Identifier: Apache-2.0
// One thread and its signal handlers (R20): emits that interrupt emits, and emits that are left by longjmp (reserve.cpp, nesting.cpp, run.cpp).
//
// A frame is the thread's main function (0) or a handler; only the topmost runs. A handler can begin at any step of the frame
// below, and can leave by longjmp at any step, into any frame below: what lay between is never finished. A level is a list of
// blocks of its own, one for each of SIGNALS signals, under the thread's one identity; an emit takes the lowest level that nobody uses.
//
// The steps, for the code:
//   emit        1. L = the lowest level with busy[L] == 0, or whose emit is known to have been left. None: the record is dropped, counted.
//               2. busy[L] = this frame's address (one word; 0 is free)  3. room, or a claim  4. off[L], the thread's own, moves
//               5. `committed` moves  6. a run: claiming[L] = 1, its list loses its capacity, it is sealed, claiming[L] as it was  7. busy[L] = 0
//               Left between 4 and 5 the record is whole, and the next commit publishes it: the list is never behind `committed`.
//   claim       1. claiming[L] or forgot[L] still set: a claim of this level was left. Every OPEN block with my (slot, generation) that is in no list with
//                  capacity is sealed, by CAS; forgot[L] = 0. Another level that is claiming may have won a block that is not in its list yet: then
//                  this waits for a later claim (forgot[L] = 1).
//               2. claiming[L] = 1  3. CAS FREE -> OPEN(me), a run's neighbours FREE -> CONT(me)
//               4. the list's capacity = 0; its block is sealed if it had any (else the block may be anybody's by now, or another list's)
//               5. the new block, its capacity last
//               6. claiming[L] = 0
//   known left  frame addresses tell, on one and the same stack only: an emit whose frame lies at or below the present one is over. Not knowing is
//               always allowed (the search decides freely): the level is then lost to the thread until it ends, and its block with it; never one that is in use.
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
#ifndef SIGNALS
#define SIGNALS 1
#endif
#define LEVELS 2
#define LISTS (LEVELS * SIGNALS)
#define CAP 2
#define RUNLEN 3  /* a record larger than a block: with RUNS */
#define FREE 0
#define OPEN 1
#define SEALED 2
#define CONT 3
#define NONE 15

byte st[NB], life[NB], committed[NB]; /* all OPEN blocks are this thread's, but for those that another thread takes (OTHERS) */
bit taken[NB * CAP];                  /* the bytes of a committed record */
bit busy[LEVELS], claiming[LEVELS], forgot[LEVELS];
byte holder[LEVELS];                  /* whose frame began the emit */
byte list[LISTS], list_life[LISTS], off[LISTS], capacity[LISTS];
bit conts[LISTS];
byte top;                             /* the frame that runs */
bit left[FRAMES];                     /* its emit was left by longjmp */
byte emits = EMITS, jumps = JUMPS;
bit not_known;                        /* a left emit was not recognised */
bit over;

#define HAS(x, b) (list[x] == (b) && capacity[x] != 0)
#if SIGNALS == 2
#define LISTED(b) (HAS(0, b) || HAS(1, b) || HAS(2, b) || HAS(3, b))
#else
#define LISTED(b) (HAS(0, b) || HAS(1, b))
#endif
#define OTHER_CLAIMS(L) (claiming[1 - (L)])
#define HAS_ROOM(x, n) (capacity[x] != 0 && off[x] + (n) <= capacity[x])
/* The list's block is mine, in the life that it knows: whoever writes to it may. */
#define WRITABLE(x) assert(st[list[x]] == OPEN && life[list[x]] == list_life[x])

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

/* reserve.cpp, look_after_forgotten(); claim.cpp, seal_forgotten(). CONT blocks go with their head. */
inline look_after_forgotten() {
  if
#ifdef M_R20_NO_FLAG
  :: false ->
#else
  :: claiming[L] || forgot[L] ->
#endif
     forgot[L] = 1;
     if
#ifndef M_R20_SWEEP_ANYWAY
     :: OTHER_CLAIMS(L) -> skip
#endif
     :: else ->
        i = 0;
        do
        :: i < NB ->
#ifdef M_R20_OWN_LIST_ONLY
           d_step { if :: st[i] == OPEN && !HAS(L * SIGNALS, i) -> st[i] = SEALED :: else fi };
#else
           if :: st[i] == OPEN && !LISTED(i) -> d_step { if :: st[i] == OPEN -> st[i] = SEALED :: else fi } :: else fi;
#endif
           i++
        :: i >= NB -> break
        od;
        forgot[L] = 0
     fi
  :: else -> skip
  fi
}

/* claim.cpp, seal_block(): an OPEN block with this thread's name. */
inline seal_block(x) { d_step { if :: st[list[x]] == OPEN -> st[list[x]] = SEALED :: else fi } }

/* claim.cpp, scan(); run.cpp, claim_at(). b == NONE: the ring is full. */
inline claim_block() {
  i = 0; b = NONE;
  do
  :: i + (n == RUNLEN) < NB ->
     d_step { if :: st[i] == FREE && (n != RUNLEN || st[i + 1] == FREE) -> st[i] = OPEN; b = i :: else fi };
     if
     :: b != NONE && n == RUNLEN ->
        d_step { if :: st[b + 1] == FREE -> st[b + 1] = CONT; ok = 1 :: else -> ok = 0 fi };
        if :: ok -> break :: else -> d_step { assert(st[b] == OPEN && committed[b] == 0); st[b] = FREE; life[b] = (life[b] + 1) & 7; b = NONE; i++ } fi
     :: b != NONE && n != RUNLEN -> break
     :: b == NONE -> i++
     fi
  :: else -> break
  od
}

/* reserve.cpp, claim() and install() */
inline claim() {
  look_after_forgotten();
#ifndef M_R20_FLAG_AFTER_CAS
  claiming[L] = 1;
#endif
  claim_block();
#ifdef M_R20_FLAG_AFTER_CAS
  claiming[L] = 1;
#endif
#ifdef M_R20_FLAG_CLEARED_FIRST
  claiming[L] = 0;
#endif
  if
  :: b != NONE ->
#ifdef M_R20_SEALED_WITHOUT_ROOM
     ok = (list[x] != NONE);
#else
     ok = (capacity[x] != 0);
#endif
     capacity[x] = 0;
     if :: ok -> seal_block(x) :: else -> skip fi;
     d_step { list[x] = b; list_life[x] = life[b]; off[x] = committed[b]; conts[x] = (n == RUNLEN) };
     capacity[x] = (conts[x] -> 2 * CAP : CAP)
  :: else -> skip
  fi;
  claiming[L] = 0
}

/* run.cpp, seal_run() */
inline seal_run(x) {
#ifdef M_R20_SEALED_WHILE_LISTED
  seal_block(x); capacity[x] = 0
#else
  ok = claiming[L];
#ifndef M_R20_RUN_SEALED_WITHOUT_FLAG
  claiming[L] = 1;
#endif
  capacity[x] = 0; seal_block(x);
  claiming[L] = ok
#endif
}

/* run.cpp, give_run_back(): the head is an ordinary block then. */
inline give_run_back(x) {
  capacity[x] = CAP; conts[x] = 0;
  d_step {
    b = list[x];
    if :: st[b + 1] == CONT && st[b] == OPEN && life[b] == list_life[x] -> assert(committed[b] <= CAP); st[b + 1] = FREE; life[b + 1] = (life[b + 1] + 1) & 7 :: else fi
  }
}

inline emit() {
  choose_level();
  if
  :: L < LEVELS ->
     d_step { busy[L] = 1; holder[L] = k };  /* one word: the frame's address */
     x = L * SIGNALS; n = 1;
#if SIGNALS == 2
     if :: x++ :: true fi;
#endif
#ifdef RUNS
     if :: n = RUNLEN :: true fi;
#endif
     if :: HAS_ROOM(x, n) -> skip :: else -> claim() fi;
     if
     :: HAS_ROOM(x, n) ->
        d_step { WRITABLE(x); assert(off[x] >= committed[list[x]]); if :: off[x] < CAP -> assert(!taken[list[x] * CAP + off[x]]) :: else fi };
        if
        :: true ->
#ifdef M_R20_COMMITTED_BEFORE_LIST
           d_step { WRITABLE(x); if :: off[x] < CAP -> taken[list[x] * CAP + off[x]] = 1 :: else fi; committed[list[x]] = off[x] + n };
           off[x] = off[x] + n;
#else
           off[x] = off[x] + n;
           d_step { WRITABLE(x); if :: off[x] - n < CAP -> taken[list[x] * CAP + off[x] - n] = 1 :: else fi; committed[list[x]] = off[x] };
#endif
#ifdef RUNS
           if :: conts[x] -> seal_run(x) :: else -> skip fi
        :: true ->  /* abandoned */
           if
#ifdef M_R20_COMMITTED_GIVEN_BACK
           :: conts[x] -> give_run_back(x)
#else
           :: conts[x] && off[x] <= CAP -> give_run_back(x)
           :: conts[x] && off[x] > CAP -> seal_run(x)  /* its emit was left before it could */
#endif
           :: else -> skip
           fi
#endif
        fi
     :: else -> skip  /* dropped: the ring is full */
     fi;
     busy[L] = 0
  :: else -> skip     /* dropped: nested too deeply */
  fi
}

proctype Frame(byte k) provided (top == _pid - 1) {
  byte L, b, i, x, n;
  bit ok;
begin:
  skip;
  d_step { left[k] = 0; L = 0; b = 0; i = 0; x = 0; n = 0; ok = 0 };
  {
    do
    :: atomic { emits > 0 -> emits-- }; emit()
    :: k == 0 && emits == 0 -> break
    :: k > 0 -> top = k - 1
    od;
    /* Quiet: each level claims once more, and nothing that this thread forgot is left. */
    if
    :: !busy[0] && !busy[1] ->
       L = 0; look_after_forgotten(); claiming[0] = 0;
       L = 1; look_after_forgotten(); claiming[1] = 0;
       L = 0; look_after_forgotten();
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

/* Whatever is sealed is drained and recycled, a run from its last block on. */
inline recycled(b) {
  st[b] = FREE; committed[b] = 0; life[b] = (life[b] + 1) & 7; taken[b * CAP] = 0; taken[b * CAP + 1] = 0;
  if :: b + 1 < NB -> if :: st[b + 1] == CONT -> st[b + 1] = FREE; life[b + 1] = (life[b + 1] + 1) & 7 :: else fi :: else fi
}
proctype Recycler() {
end:
  do
  :: d_step { st[0] == SEALED -> recycled(0) }
  :: d_step { st[1] == SEALED -> recycled(1) }
  :: d_step { st[2] == SEALED -> recycled(2) }
#if NB == 4
  :: d_step { st[3] == SEALED -> recycled(3) }
#endif
  od
}

init {
  byte i;
  atomic {
    do :: i < LISTS -> list[i] = NONE; i++ :: else -> break od;
    i = 0;
    run Frame(0); run Frame(1); run Frame(2); run Signals(); run Recycler()
  }
}
