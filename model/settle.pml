// SPDX-License-Identifier: Apache-2.0
// The end of a block: fence, advance, write off, settle, recycle: outcomes.cpp, settle.cpp, recycle.cpp. Included by ring.pml.

#define HOLDS_RECORDS(s) (ST(s) == OPEN || ST(s) == SEALED || ST(s) == EVICT)
#define OUTSTANDING(b) (done_off[b] < handed_off[b])

/* reader_impl.hpp, contradictory(), and more records than bytes can hold; into x. */
#ifdef RUNS
/* `committed` may reach into the CONT blocks directly to the right, no further. */
#define CONTRADICTORY(b) \
  top = b; \
  do \
  :: COFF(c) > (top - b + 1) * CAP -> if :: top + 1 < NB -> x = state[top + 1]; if :: ST(x) == CONT -> top++ :: else -> top = NONE; break fi :: else -> top = NONE; break fi \
  :: else -> break \
  od; \
  x = (top == NONE || EOFF(e) >= COFF(c) || ((CCOUNT(c) - handed_count[b]) & 15) > COFF(c) - handed_off[b]); top = 0
#else
#define CONTRADICTORY(b) x = (COFF(c) > CAP || EOFF(e) >= COFF(c) || ((CCOUNT(c) - handed_count[b]) & 15) > COFF(c) - handed_off[b])
#endif

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
  if :: ok -> free_conts(b, s) :: else fi;
  if :: ok -> recycle_head(b) :: else fi
#endif
}
inline recycle_head(b) {
  OR_DIE(d_step {
    if :: state[b] == s -> ok = 1; IS_RESET(b);
          HEAD_LAST(b); state[b] = STATE(FREE, 0, 0, 0, NEXT(BGEN(s))); k = 0; do :: k < CAP -> data[b * CAP + k] = 0; k++ :: else -> break od; k = 0
       :: else -> ok = 0 fi
  })
}

/* settle.cpp, settle(): recycles what is done, seals an orphan that is exported, unpins the rest. What it changes bears its
 * own pin, so that its successor, which renames pins, makes each of its later steps fail. */
inline settle(b) {
  do
  :: OUTSTANDING(b) -> break
  :: !OUTSTANDING(b) ->
#ifdef M_R4_COMMITTED_FIRST
     c = committed[b];
#endif
     s = state[b]; gone = 1;
     if :: !HOLDS_RECORDS(s) -> break :: else fi;
#ifndef M_PIN_WITHOUT_NAME
     if :: header_epoch != ep -> break :: else fi;
     do
     :: PIN(s) == 0 || PIN(s) == MY_PIN -> ok = 1; break
     :: else -> CAS(state[b], s, PINNED(s, MY_PIN)); if :: ok -> s = state[b] :: else -> break fi
     od;
     if :: !ok || !HOLDS_RECORDS(s) -> break :: else fi;
#endif
     if :: ST(s) != SEALED -> owner_gone(OWNER(s), OGEN(s)) :: else fi;
     e = exported[b];
#ifndef M_R4_COMMITTED_FIRST
     c = committed[b];
#endif
     if
     :: gone && NOTHING_LEFT(c, e) ->
#ifndef M_LIFE_NOT_LOOKED_AT
        /* What was read is of one life. (A flusher that stood still here may have read the words of a later one.) */
        if :: state[b] != s -> break :: else fi;
#endif
#ifdef M_R10_RECYCLED_UNPINNED
        if :: ST(s) == SEALED -> recycle(b); break :: else fi;
#else
        if :: ST(s) == SEALED && PIN(s) == MY_PIN -> recycle(b); break :: else fi;
#endif
        CAS(state[b], s, PINNED(AS(s, SEALED), MY_PIN));
        if :: !ok -> break :: else fi;  /* adopted */
#ifdef M_ORPHAN_NOT_READ_AGAIN
        s = PINNED(AS(s, SEALED), MY_PIN); recycle(b); break
#endif
     :: else -> if :: PIN(s) == 0 -> break :: else -> CAS(state[b], s, PINNED(s, 0)); if :: ok -> break :: else fi fi
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
  if :: ok -> fill_other_set(b, e, CELL_OF(a_kind), ((a_after - a_before) & 15), TAG_OF(ep)) :: else fi;
  if :: ok -> OR_DIE(d_step {
          ok = 0;
          if :: exported[b] == e -> exported[b] = EXPORTED(a_to, a_after, 1 - ESET(e), EEPOCH(e)); ok = 1; CLOSES(b);
                if :: a_kind == ACCEPTED -> ghost_accepted((a_to - a_from)) :: a_kind == CORRUPT -> assert(DAMAGED(b)) :: else fi
             :: else fi
        })
     :: else fi
}
/* In the step that moves `exported`: the slice's first `units` have their fate. */
inline ghost_accepted(units) {
  k = 0;
  do
  :: k < units && k < 8 && q_id[q * 8 + k] != 0 ->
     if :: q_id[q * 8 + k] != CTX -> assert(!was_evicted[q_id[q * 8 + k]] || EXEMPT(q_id[q * 8 + k])); was_acknowledged[q_id[q * 8 + k]] = 1 :: else fi; k++
  :: else -> break
  od;
  k = 0
}

/* settle.cpp, write_off(): words that contradict each other. What the counters promise is counted as corrupt (EVICTED stands
 * for it here), once the owner is done: of a damaged block only. */
inline write_off(b) {
  s = state[b]; gone = 1;
#ifdef M_WRITE_OFF_UNPINNED
  ok = !OUTSTANDING(b);
#else
  ok = (!OUTSTANDING(b) && PIN(s) == MY_PIN);
#endif
  if :: ok && ST(s) != SEALED ->
#ifndef M_WRITE_OFF_OWNER_NOT_ASKED
        owner_gone(OWNER(s), OGEN(s));
#endif
        if :: gone -> CAS(state[b], s, AS(s, SEALED)); s = AS(s, SEALED) :: else -> ok = 0 fi
     :: else fi;
  if :: ok ->
        e = exported[b]; c = committed[b];
        d_step {
          from = EOFF(e); before = ECOUNT(e); n = (CCOUNT(c) - before) & 15;
          if :: n > CAP -> n = 1 :: else fi  /* believable_loss() */
        };
        k = BGEN(s); y = (before + n) & 15; n = y;
        advance(b, k, from, before, 0, n, CORRUPT);
#ifdef M_WRITE_OFF_COMMITTED_BY_STORE
        if :: ok -> OR_DIE(committed[b] = COMMITTED(0, n, LIFE(CLIFE(c) + 1))) :: else fi;
#else
        if :: ok -> CAS(committed[b], c, COMMITTED(0, n, LIFE(CLIFE(c) + 1))) :: else fi;
#endif
        if :: ok -> settle(b) :: else fi
     :: else fi
}
