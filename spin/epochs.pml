/*
 * Who may write the next epoch of a group: two members write at once, each for the epoch after the one it knows. The
 * relay takes the first by compare and swap and refuses the second with what it has, and the loser builds on that.
 * Answers are lost, FAULTS times in all; a writer then asks again, and the relay knows what it has already taken.
 *
 * -DREAD_THEN_WRITE and -DNO_IDS each break one rule: the check must then find a counterexample.
 */
#define WRITERS 2
#define FAULTS 3

byte epoch;
byte winner[WRITERS + FAULTS + 2]; /* by epoch: the writer whose operation it is, from 1 */
bool taken[WRITERS];               /* by writer: its operation has been accepted */
bool finished[WRITERS];
byte faults = FAULTS;

chan ask[WRITERS] = [1] of { byte };          /* the epoch that it builds on */
chan answer[WRITERS] = [1] of { bool, byte }; /* accepted, the epoch now */

proctype Writer(byte me) {
  byte base, now;
  bool accepted;
again:
  ask[me] ! base;
  if
  :: answer[me] ? accepted, now ->
       base = now;
       if
       :: accepted -> finished[me] = true
       :: else -> goto again
       fi
  :: atomic { answer[me] ? [accepted, now] && faults > 0 -> faults--; answer[me] ? _, _; goto again }
  fi
}

inline swap() {
  epoch++;
  assert(winner[epoch] == 0); /* one winner by epoch */
  assert(!taken[me]);         /* an operation is taken once */
  winner[epoch] = me + 1;
  taken[me] = true
}

/* One for each connection; only the database stands between them. */
proctype Relay(byte me) {
  byte base;
end:
  do
  :: ask[me] ? base ->
       if
#ifndef NO_IDS
       :: taken[me] -> answer[me] ! true, epoch
#endif
       :: else ->
#ifdef READ_THEN_WRITE
            if
            :: base == epoch -> atomic { epoch = base + 1; assert(winner[epoch] == 0);
                 winner[epoch] = me + 1; taken[me] = true }; answer[me] ! true, epoch
            :: else -> answer[me] ! false, epoch
            fi
#else
            if
            :: atomic { base == epoch -> swap() }; answer[me] ! true, epoch
            :: atomic { base != epoch -> answer[me] ! false, epoch }
            fi
#endif
       fi
  od
}

init {
  atomic { run Writer(0); run Writer(1); run Relay(0); run Relay(1) }
}

ltl both { <> (finished[0] && finished[1]) }
ltl each { [] (epoch <= WRITERS) }
