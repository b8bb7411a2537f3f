// SPDX-License-Identifier: Apache-2.0
// The words of include/shmring/layout.hpp, packed small, and the steps that every model makes from them.

#define FREE 0
#define OPEN 1
#define SEALED 2
#define CONT 3
#define EVICT 4

#define VACANT 0
#define CLAIMING 1
#define HELD 2

#define NOBODY 0  /* a mutex word: nobody, a thread id, or the kernel's mark of a holder's death */
#define DIED 7
#define NONE 15   /* no block */

/* descriptor.state: state 3, pin 2, writer 2, writer generation 3, block generation 4 */
#define STATE(s, p, o, g, b) ((s) | ((p) << 3) | ((o) << 5) | ((g) << 7) | ((b) << 10))
#define ST(w) ((w) & 7)
#define PIN(w) (((w) >> 3) & 3)
#define OWNER(w) (((w) >> 5) & 3)
#define OGEN(w) (((w) >> 7) & 7)
#define BGEN(w) (((w) >> 10) & 15)
#define NEXT(g) (((g) + 1) & 15)
#define PINNED(w, p) (((w) & ~24) | ((p) << 3))
#define AS(w, s) (((w) & ~7) | (s))

/* descriptor.committed: offset 3, records ever 4, block generation 2 */
#define COMMITTED(o, n, l) ((o) | ((n) << 3) | ((l) << 7))
#define COFF(c) ((c) & 7)
#define CCOUNT(c) (((c) >> 3) & 15)
#define CLIFE(c) (((c) >> 7) & 3)

/* descriptor.exported: offset 3, records ever 4, valid set 1, epoch 3 */
#define EXPORTED(o, n, t, p) ((o) | ((n) << 3) | ((t) << 7) | ((p) << 8))
#define EOFF(e) ((e) & 7)
#define ECOUNT(e) (((e) >> 3) & 15)
#define ESET(e) (((e) >> 7) & 1)
#define EEPOCH(e) (((e) >> 8) & 7)

/* an outcome cell: records 4, epoch 3 */
#define CELL(n, p) ((n) | ((p) << 4))
#define RECORDS(x) ((x) & 15)
#define TAG(x) (((x) >> 4) & 7)

/* slot.claim: generation 3, phase 2, thread id 3 */
#define CLAIM(g, p, t) ((g) | ((p) << 3) | ((t) << 5))
#define CGEN(x) ((x) & 7)
#define CPHASE(x) (((x) >> 3) & 3)
#define CTID(x) (((x) >> 5) & 7)

/* recycle.cpp, nothing_left() */
#define NOTHING_LEFT(c, e) (CCOUNT(c) == ECOUNT(e) && EOFF(e) >= COFF(c))

/* One access that others can see; instead of it, whoever makes it dies. (Death between two reads cannot be told from death
 * before the next store, so this is death at any step.) */
#define OR_DIE(access) if :: atomic { kills[role] > 0 -> kills[role]--; goto dead } :: access fi
/* One access: compare and swap. */
#define CAS(place, from, to) OR_DIE(d_step { ok = 0; if :: place == (from) -> place = (to); ok = 1 :: else fi })
