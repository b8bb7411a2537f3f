// SPDX-License-Identifier: Apache-2.0
// Taking one writer slot, down to the mutex and the kernel (registration.cpp, liveness.cpp; R13, R14).
//
// Three threads: two in pid namespace 0 with ids 1 and 2, one in namespace 1 whose id is 1 as well. At a thread's death the kernel
// marks the mutex that it holds, and the one that it is just locking or unlocking, if the word has its thread *id*: it does
// not know of other namespaces' threads of that id. With UNMARKED some deaths are not marked at all (R13).
#ifndef LIVES
#define LIVES 5
#endif
#ifndef KILLS
#define KILLS 2
#endif
#define VACANT 0
#define CLAIMING 1
#define HELD 2
#define DIED 9
#define CLAIM(g, p, t, n) ((g) | ((p) << 4) | ((t) << 6) | ((n) << 8))
#define GEN(c) ((c) & 15)
#define PHASE(c) (((c) >> 4) & 3)
#define TID(c) (((c) >> 6) & 3)
#define NAMESPACE(c) (((c) >> 8) & 1)

#ifdef M_R15_CLAIMER_KEEPS_GENERATION
#define NEXT_GEN(c) ((PHASE(c) == CLAIMING -> GEN(c) : GEN(c) + 1) & 15)  /* then a claim word can come back, with a thread id */
#else
#define NEXT_GEN(c) ((GEN(c) + 1) & 15)
#endif

short claim;
byte word;
byte lives, kills = KILLS, ended;
byte owners;       /* that believe they hold the slot */
bit alive[8];      /* by namespace * 4 + thread id */

#define OR_DIE(access) if :: atomic { kills > 0 -> kills--; goto dead } :: access fi

proctype Thread(byte tid; byte space) {
  short c; byte w; bit ok, init_it, pending, mine;
born:
  atomic {
    c = 0; w = 0; ok = 0; init_it = 0; pending = 0; mine = 0;
    if :: lives < LIVES -> lives++; alive[space * 4 + tid] = 1 :: else -> goto done fi
  }
#ifdef M_R14_TRYLOCK_FIRST
  goto lock;
#endif
again:
  c = claim; init_it = 0; ok = 0;
  if
  :: PHASE(c) == VACANT -> ok = 1; init_it = 1
  :: PHASE(c) == HELD -> w = word; ok = (w == 0 || w == DIED)
#ifdef M_CLAIMING_TAKEN
  :: PHASE(c) == CLAIMING -> ok = 1; init_it = 1
#else
  :: PHASE(c) == CLAIMING -> skip
#endif
  fi;
  if
  :: !ok ->  /* /proc: of this namespace only */
     d_step { ok = (NAMESPACE(c) == space && !alive[space * 4 + TID(c)]); init_it = ok }
  :: else -> skip
  fi;
  if :: !ok -> goto leave :: else -> skip fi;
  OR_DIE(d_step { ok = 0; if :: claim == c -> c = CLAIM(NEXT_GEN(c), CLAIMING, tid, space); claim = c; ok = 1 :: else fi });
  if :: !ok -> goto leave :: else -> skip fi;
  if :: init_it -> OR_DIE(word = 0) :: else -> skip fi;
lock:
  pending = 1;
  w = word;
  if
  :: w == 0 || w == DIED -> OR_DIE(d_step { ok = 0; if :: word == w -> word = tid; mine = 1; ok = 1; owners++ :: else fi })
  :: else -> ok = 0;
     /* dead in the middle of a trylock that would have failed: the kernel compares ids */
     OR_DIE(pending = 0); goto leave
  fi;
  pending = 0;
#ifndef M_R14_TRYLOCK_FIRST
  assert(ok);  /* whoever won the claim is alone with the mutex */
#else
  if :: !ok -> goto leave :: else -> skip fi;
#endif
  d_step { assert(owners == 1); assert(word == tid) };
  OR_DIE(d_step { assert(claim == c || c == 0); claim = CLAIM(GEN(c), HELD, tid, space) });
  d_step { assert(owners == 1); assert(word == tid) };
  (true);
  d_step { assert(owners == 1); assert(word == tid) };  /* a live holder is not marked dead, and never one of two */
leave:
  skip;
dead:
  skip;
  /* First the kernel walks the robust list (exit_mm), then /proc says that the thread is gone (exit_notify). */
  if
#ifdef UNMARKED
  :: true -> d_step { if :: mine -> owners-- :: else fi }
#endif
  :: true -> d_step { if :: mine -> owners-- :: else fi; if :: (mine || pending) && word == tid -> word = DIED :: else fi }
  fi;
  alive[space * 4 + tid] = 0;
  goto born;
done:
  ended++
}

init {
  #ifdef ONE_NAMESPACE
  atomic { run Thread(1, 0); run Thread(2, 0); run Thread(3, 0) };
#else
  atomic { run Thread(1, 0); run Thread(2, 0); run Thread(1, 1) };
#endif
  (ended == 3);
  /* No slot leaks: whoever comes can take it, if not the word, then /proc of its namespace tells it. */
  d_step { assert(owners == 0); assert(PHASE(claim) == VACANT || PHASE(claim) == CLAIMING || word == 0 || word == DIED || !alive[NAMESPACE(claim) * 4 + TID(claim)]) }
}
