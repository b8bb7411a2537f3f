// SPDX-License-Identifier: Apache-2.0
// Policy drop-oldest (R8): evict.cpp. Included by ring.pml.

/* (1) Takes the block `i` if it is a candidate by its word `s`: an unpinned SEALED block, or an unpinned OPEN or EVICT one whose
 * owner is gone. The life stays the same: what is in it still has to get its fate. ok: b == i is mine. */
inline begin_eviction() {
  ok = 0; gone = 0;
#ifdef M_R8_PINNED_EVICTED
  if :: ST(s) == SEALED -> gone = 1
#else
  if :: ST(s) == SEALED && PIN(s) == 0 -> gone = 1
#endif
     :: (ST(s) == OPEN || ST(s) == EVICT) && PIN(s) == 0 -> owner_gone(OWNER(s), OGEN(s))
     :: else fi;
#ifdef M_R8_NO_EVICT_STATE
  if :: gone -> CAS(state[i], s, STATE(OPEN, 0, w, g, BGEN(s))) :: else fi;
#else
  if :: gone -> CAS(state[i], s, STATE(EVICT, 0, w, g, BGEN(s))) :: else fi;
#endif
  if :: ok -> b = i :: else fi
}

/* evict.cpp, empty_out(): (2) to (6), of block `b`. */
inline empty_out() {
     do
     :: d_step { ep = header_epoch };
        /* (2) exported, then committed; the owner is gone or has sealed, so `committed` can only lose its offset */
        e = exported[b]; c = committed[b];
        if :: CCOUNT(c) == ECOUNT(e) -> break :: else fi;  /* nothing to count; or a recycling that was interrupted */
#ifdef DAMAGE
        /* forget_damaged_count(): more than a block can hold */
        do
        :: ((CCOUNT(c) - ECOUNT(e)) & 15) > CAP -> CAS(committed[b], c, COMMITTED(COFF(c), ((ECOUNT(e) + 1) & 15), CLIFE(c))); e = exported[b]; c = committed[b]
        :: else -> break
        od;
        if :: CCOUNT(c) == ECOUNT(e) -> break :: else fi;
#endif
#ifdef M_R8_COUNT_AFTER
        d_step { ok = 0; if :: exported[b] == e -> exported[b] = EXPORTED(COFF(c), CCOUNT(c), ESET(e), EEPOCH(e)); ok = 1; ghost_evicted() :: else fi };
        if :: ok -> OR_DIE(d_step { cell[PLACE(b, ESET(e), EVICTED)] = cell[PLACE(b, ESET(e), EVICTED)] + ((CCOUNT(c) - ECOUNT(e)) & 15) }); break :: else fi
#else
        /* (3) the other set, tagged with the header's epoch; a later tag means that a new flusher came: look again */
        fill_other_set(b, e, EVICTED, ((CCOUNT(c) - ECOUNT(e)) & 15), ep);
        /* (4) one CAS moves the position and every total. It fails when a new flusher fenced the word. */
#ifdef M_R8_EXPORTED_BY_STORE
        if :: ok -> d_step { exported[b] = EXPORTED(COFF(c), CCOUNT(c), 1 - ESET(e), EEPOCH(e)); CLOSES(b); ghost_evicted() } :: else fi;
#else
        if :: ok -> OR_DIE(d_step { ok = 0; if :: exported[b] == e -> exported[b] = EXPORTED(COFF(c), CCOUNT(c), 1 - ESET(e), EEPOCH(e)); ok = 1; CLOSES(b); ghost_evicted() :: else fi }) :: else fi;
#endif
        if :: ok -> break :: else fi
#endif
     od;
     /* (5) committed loses its offset, then exported */
     do
     :: c = committed[b];
        if :: COFF(c) == 0 -> break :: else -> CAS(committed[b], c, COMMITTED(0, CCOUNT(c), LIFE(CLIFE(c) + 1))) fi
     od;
     do
     :: e = exported[b];
        if :: EOFF(e) == 0 -> break :: else -> CAS(exported[b], e, EXPORTED(0, ECOUNT(e), ESET(e), EEPOCH(e))) fi
     od;
     /* (6) the run's other blocks, downwards: while `committed` reaches into them they are there */
#ifdef M_R8_NO_EVICT_STATE
     s = STATE(OPEN, 0, w, g, BGEN(s));
#else
     s = STATE(EVICT, 0, w, g, BGEN(s));
#endif
     free_conts(b, s)
}

/* (7) The next life: mine, or FREE. */
inline begin_life(word_of_life) {
  OR_DIE(d_step {
    ok = 0; if :: state[b] == s -> HEAD_LAST(b); IS_RESET(b); state[b] = word_of_life; ok = 1 :: else fi;
    if :: ok -> i = 0; do :: i < CAP -> data[b * CAP + i] = 0; i++ :: else -> break od; i = 0 :: else fi
  });
  if :: !ok -> b = NONE :: else fi
}

/* Policy drop-oldest (R8), when a scan found nothing. (The code takes the candidate with the lowest ticket; the model the first.) */
inline evict() {
  i = 0;
  do
  :: i < NB -> s = state[i]; begin_eviction(); if :: ok -> break :: else -> i++ fi
  :: i >= NB -> break
  od;
  if :: b != NONE -> empty_out(); begin_life(STATE(OPEN, 0, w, g, NEXT(BGEN(s)))) :: else fi;
  d_step { i = 0; s = 0; c = 0; e = 0; gone = 0; ok = 0; ep = 0 }
}

/* In the step that moves `exported`: what was there is evicted, and had no other fate. */
inline ghost_evicted() {
  i = EOFF(e);
  do
#ifdef DAMAGE
  :: i >= CAP -> break
#endif
  :: i < COFF(c) -> k = data[b * CAP + i];
     if :: k != CTX && k != 0 -> assert(!was_acknowledged[k] || EXEMPT(k)); was_evicted[k] = 1 :: else fi; i++
  :: else -> break
  od;
  i = 0; k = 0
}
