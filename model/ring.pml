// SPDX-License-Identifier: Apache-2.0
// The ring: registration, claim, adopt, commit, seal, drain, acknowledge, recycle; eviction (EVICTION) and runs (RUNS).
//
// One statement, or one d_step, is one access to shared memory; memory is sequentially consistent. Producers and flushers
// die at any step (OR_DIE). README.md says what each flag and each configuration is; M_... flags break one rule each.
#include "words.pml"

#ifndef NB
#define NB 2       /* blocks */
#endif
#ifndef NP
#define NP 1       /* producers that live at once; whoever dies is followed by a new thread */
#endif
#ifndef NW
#define NW NP      /* writer slots */
#endif
#ifndef NF
#define NF 1       /* flushers; 2: a stopped one goes on after its lease was taken away */
#endif
#ifndef LIVES
#define LIVES 3    /* of producers, in all; at most 6 */
#endif
#ifndef PKILLS
#define PKILLS 1
#endif
#ifndef FKILLS
#define FKILLS 1
#endif
#ifndef MAXR
#define MAXR 3     /* records that are attempted, at most 6 */
#endif
#ifndef CAP
#define CAP 2      /* units in a block: a record is one unit, with CONTEXT a resource record another */
#endif
#ifndef SLICES
#define SLICES 2   /* handed out and not yet acknowledged */
#endif
#ifndef GMOD
#define GMOD 8     /* generations of a slot */
#endif
#define RUNLEN (CAP + 1)  /* a record larger than a block */
#define CTX 7             /* a resource record's byte */

#define NK 2              /* outcomes that are told apart */
#define ACCEPTED 0
#define EVICTED 1
#define CORRUPT 2         /* counted with the evicted ones: cells cost states */
#define CELL_OF(kind) ((kind) == CORRUPT -> EVICTED : (kind))

/* What lies in the ring. */
short state[NB], committed[NB], exported[NB];
byte cell[NB * 2 * NK];
byte data[NB * CAP];
byte claim[NW], word[NW];
byte header_epoch;

/* The world outside. */
bit alive[8];         /* what /proc says of a thread id */
byte lease;           /* who holds the file lock: flusher + 1 */
byte steals = NF - 1; /* how often a living holder loses it */
byte kills[2];        /* that are still to come: of producers, of flushers */
byte lives, pdone, fdone;

/* Ghosts: what the promises speak of. */
byte next_id = 1;
bit was_committed[MAXR + 1], was_acknowledged[MAXR + 1], was_evicted[MAXR + 1], was_run[MAXR + 1];

#define PLACE(b, set, k) (((b) * 2 + (set)) * NK + (k))
#define VALID(b, k) RECORDS(cell[PLACE(b, ESET(exported[b]), k)])
#define SUM(b) ((VALID(b, 0) + VALID(b, 1)) & 15)
/* I5: the block's accounting closes, at every instant. */
#define CLOSES(b) assert(SUM(b) == ECOUNT(exported[b]))
#define ALL_FREE (ST(state[0]) == FREE && ST(state[1]) == FREE && ST(state[NB - 1]) == FREE)

#ifdef M_COMMITTED_WITHOUT_LIFE
#define LIFE(g) 0
#else
#define LIFE(g) ((g) & 3)
#endif
#ifdef M_PIN_WITHOUT_NAME
#define MY_PIN 1
#else
#define MY_PIN ((ep % 3) + 1)  /* whose it is */
#endif

/* liveness.cpp, owner_gone(): the claim, the word of one that is held, and the claim again. */
inline owner_gone(o, g) {
  d_step {
    cl = claim[o];
#ifdef M_R15_CLAIMERS_SEEM_OWNERS
    gone = (CGEN(cl) != g || CPHASE(cl) == VACANT)
#else
    gone = (CGEN(cl) != g || CPHASE(cl) != HELD)  /* a claimer owns nothing yet */
#endif
  }
  if
  :: gone -> cl = 0
  :: else ->
    wd = word[o];
    d_step {
      gone = (claim[o] != cl || (CPHASE(cl) == HELD && (wd == NOBODY || wd == DIED)));
      cl = 0; wd = 0
    }
  fi
}

/* outcomes.cpp, fill_other_set(): `n` more in cell `kind`, tagged `tag`. ok == 0: a later epoch was there, superseded. */
inline fill_other_set(b, e, kind, n, tag) {
  k = 0; ok = 1;
  do
  :: k < NK ->
#ifdef M_R6_COUNT_IN_VALID_SET
     /* the wrong set: what was counted is true before `exported` moves */
     if :: k == kind -> d_step { cell[PLACE(b, ESET(e), k)] = CELL(RECORDS(cell[PLACE(b, ESET(e), k)]) + n, tag); cell[PLACE(b, 1 - ESET(e), k)] = cell[PLACE(b, ESET(e), k)] }
        :: else -> d_step { cell[PLACE(b, 1 - ESET(e), k)] = cell[PLACE(b, ESET(e), k)] } fi; k++
#else
     y = RECORDS(cell[PLACE(b, ESET(e), k)]);
     if :: k == kind -> y = y + n :: else fi;
     x = cell[PLACE(b, 1 - ESET(e), k)];
     do
     :: x == CELL(y, tag) -> break
     :: x != CELL(y, tag) && TAG(x) > tag -> ok = 0; break
     :: x != CELL(y, tag) && TAG(x) <= tag ->
#ifdef M_CELL_STORE
        cell[PLACE(b, 1 - ESET(e), k)] = CELL(y, tag); ok = 1; break
#else
        OR_DIE(d_step {
          if :: cell[PLACE(b, 1 - ESET(e), k)] == x -> cell[PLACE(b, 1 - ESET(e), k)] = CELL(y, tag); x = CELL(y, tag)
             :: else -> x = cell[PLACE(b, 1 - ESET(e), k)] fi;
          CLOSES(b)
        })
#endif
     od;
     if :: !ok -> break :: else fi;
     k++
#endif
  :: k >= NK -> break
  od;
  skip;
  d_step { k = 0; x = 0; y = 0 }
}

/* Frees the CONT blocks to the right of the head `b`, whose state word is `s`, the topmost first. A word is taken for this
 * run's only if the head still has its own afterwards; ok == 0: the head is in other hands. (R10) */
inline free_conts(b, s) {
  ok = 1;
#ifdef RUNS
  top = b + 1;
#ifdef M_R10_FREED_UPWARDS
  do
  :: top < NB -> x = state[top];
     if :: ST(x) == CONT -> CAS(state[top], x, STATE(FREE, 0, 0, 0, NEXT(BGEN(x)))); ok = 1; top++ :: else -> break fi
  :: top >= NB -> break
  od;
#else
  do
  :: top < NB -> x = state[top]; if :: ST(x) == CONT -> top++ :: else -> break fi
  :: top >= NB -> break
  od;
  do
  :: top > b + 1 -> top--;
     x = state[top];
#ifndef M_R10_HEAD_NOT_LOOKED_AT
     y = (state[b] == s);
#else
     y = 1;
#endif
     if :: y && ST(x) == CONT -> CAS(state[top], x, STATE(FREE, 0, 0, 0, NEXT(BGEN(x)))) :: else -> ok = 0 fi;
     if :: !ok -> break :: else fi
  :: top <= b + 1 -> break
  od;
#endif
  skip;
  d_step { top = 0; x = 0; y = 0 }
#endif
}

#ifdef RELEASE
byte releases = 1;
#endif

/* Somebody scribbles over block 0's words, once (DAMAGE): costs that block its records, and nobody else anything. */
#ifdef DAMAGE
bit damaged, damage_over, was_exempt[MAXR + 1];
#define DAMAGED(b) (damaged && (b) == 0)
#define EXEMPT(id) was_exempt[id]
#define DAMAGE_OVER && damage_over
#define IS_RESET(b) if :: (b) == 0 && damaged && COFF(committed[b]) == 0 && EOFF(exported[b]) == 0 && CCOUNT(committed[b]) == ECOUNT(exported[b]) -> damaged = 0 :: else -> assert(DAMAGED(b) || (COFF(committed[b]) == 0 && EOFF(exported[b]) == 0 && CCOUNT(committed[b]) == ECOUNT(exported[b]))) fi
#else
#define DAMAGED(b) 0
#define EXEMPT(id) 0
#define DAMAGE_OVER
#define IS_RESET(b) assert(COFF(committed[b]) == 0 && EOFF(exported[b]) == 0 && CCOUNT(committed[b]) == ECOUNT(exported[b]))
#endif

/* In the step that gives the block `b` another life: nothing of a run is left to its right. Every CONT block has its head. */
#ifdef RUNS
#define HEAD_LAST(b) assert((b) + 1 >= NB || ST(state[(b) + 1]) != CONT)
#else
#define HEAD_LAST(b) skip
#endif

/* A producer's. */
#define MINE(x, st, b) STATE(st, 0, w, g, BGEN(x))
#define OWNED(b) (ST(state[b]) == OPEN && OWNER(state[b]) == w && OGEN(state[b]) == g)

#include "evict.pml"
#include "run.pml"
#include "producer.pml"
#include "settle.pml"
#include "flusher.pml"

#ifdef OBSERVER
/* accounting.cpp: one look at one block. If it says that nothing moved meanwhile, the block closes. */
proctype Observer() {
  short s, e, c; byte b, k, sum, pending;
  if :: b = 0 :: b = NB - 1 fi;
  s = state[b]; e = exported[b]; c = committed[b];
  do :: k < NK -> d_step { sum = sum + RECORDS(cell[PLACE(b, ESET(e), k)]); k++ } :: k >= NK -> break od;
  if :: ST(s) == OPEN || ST(s) == SEALED || ST(s) == EVICT ->
        d_step { k = EOFF(e); do :: k < COFF(c) -> if :: data[b * CAP + k] != CTX -> pending++ :: else fi; k++ :: k >= COFF(c) -> break od }
     :: else fi;
  d_step {
    if :: BGEN(state[b]) == BGEN(s) && (ST(state[b]) == ST(s) || (ST(s) != FREE && ST(s) != CONT && ST(state[b]) == SEALED)) -> skip
       :: else -> s = -1 fi
  };
  d_step {
    if :: s != -1 && exported[b] == e -> assert(((CCOUNT(c) - sum) & 15) == pending); assert(ECOUNT(e) == sum) :: else fi;
    s = 0; e = 0; c = 0; k = 0; sum = 0; pending = 0; b = 0
  }
}
#endif

#ifdef DAMAGE
proctype Damager() {
  byte off, n;
  if
  :: ST(state[0]) != FREE ->
     if :: off = 0 :: off = CAP :: off = CAP + 1 fi;
     if :: n = 0 :: n = 1 :: n = CAP + 1 :: n = 15 fi;
     d_step {
       damaged = 1;
       committed[0] = COMMITTED(off, ((CCOUNT(committed[0]) + n) & 15), CLIFE(committed[0]));
       off = 0; do :: off < CAP -> was_exempt[data[off]] = (data[off] != 0 && data[off] != CTX); off++ :: else -> break od;
       off = 0; n = 0
     }
  :: ST(state[0]) != FREE ->
     if :: off = 0 :: off = CAP fi;
     d_step {
       damaged = 1;
       exported[0] = EXPORTED(off, ECOUNT(exported[0]), ESET(exported[0]), EEPOCH(exported[0]));
       off = 0; do :: off < CAP -> was_exempt[data[off]] = (data[off] != 0 && data[off] != CTX); off++ :: else -> break od;
       off = 0
     }
  :: true
  fi;
  damage_over = 1
}
#endif

init {
  byte i, written;
  atomic {
    do :: i < NP -> run Producer(i); i++ :: else -> break od;
    i = 0; do :: i < NF -> run Flusher(i); i++ :: else -> break od;
    i = 0; kills[0] = PKILLS; kills[1] = FKILLS;
#ifdef OBSERVER
    run Observer();
#endif
#ifdef DAMAGE
    run Damager()
#endif
  };
  (pdone == NP && fdone == NF);
  d_step {
    i = 0;
    do
    :: i < NB ->
       assert(ST(state[i]) == FREE);                                     /* no block leaks: free = all */
       if :: !DAMAGED(i) ->                                              /* I6; damage may come just before the block is FREE */
             assert(COFF(committed[i]) == 0 && EOFF(exported[i]) == 0);
             assert(CCOUNT(committed[i]) == ECOUNT(exported[i]))
          :: else
       fi;
       CLOSES(i);
       written = written + CCOUNT(committed[i]);
       i++
    :: else -> break
    od;
    i = 1;
    do
    :: i <= MAXR ->
       if :: was_committed[i] ->
             written--;
             assert(was_acknowledged[i] || was_evicted[i] || EXEMPT(i));      /* none is lost */
             assert(!(was_acknowledged[i] && was_evicted[i]) || EXEMPT(i))    /* and none has two fates */
          :: else fi;
       i++
    :: else -> break
    od;
#ifndef DAMAGE
    assert(written == 0);  /* what was counted as written is what was committed */
#endif
    i = 0;
    do :: i < NW -> assert(CPHASE(claim[i]) == VACANT || !alive[CTID(claim[i])]); i++ :: else -> break od;  /* no slot leaks */
    i = 0
  }
}
