/*
 * Delivery from one device to another. The sender keeps an outbox and sends again what was not acknowledged; the relay
 * commits, then acknowledges; it delivers at least once; the recipient commits, then acknowledges. Connections break
 * and lose what is on them, and the three die between any two steps, FAULTS times in all.
 *
 * -DRELAY_ACKS_FIRST, -DRECIPIENT_ACKS_FIRST, -DNO_DEDUPLICATION and -DANY_ORDER each break one rule: the check
 * must then find a counterexample.
 */
#define N 3 /* messages */
#define FAULTS 2

/* On disk. */
bool acked[N];     /* sender: taken out of the outbox */
bool known[N];     /* relay: ids that it has accepted */
bool row[N];       /* relay: in the mailbox */
byte order[N];     /* relay: the ids in the order of their commits */
byte accepted;
bool shown[N];     /* recipient */
byte count;

/* In memory and on the wire: gone with a connection. */
chan send = [2] of { byte };
chan sent = [2] of { byte };
chan deliver = [2] of { byte };
chan done = [2] of { byte };
bool tried[N];     /* sender: sent on this connection */
byte cursor;       /* relay: delivered so far on this connection */
byte faults = FAULTS;

inline drain(c) {
  do
  :: nempty(c) -> c ? _
  :: empty(c) -> break
  od
}

inline cutSender() {
  drain(send);
  drain(sent);
  i = 0;
  do
  :: i < N -> tried[i] = false; i++
  :: else -> break
  od
}

inline cutRecipient() {
  drain(deliver);
  drain(done);
  cursor = 0
}

/* Everything before it is on its way. */
#define BEFORE(m) (m == 0 || acked[m - (m > 0)] || tried[m - (m > 0)])

#ifdef ANY_ORDER
#define MAY_SEND(m) (!acked[m] && !tried[m])
#else
#define MAY_SEND(m) (!acked[m] && !tried[m] && BEFORE(m))
#endif

inline push(m) {
  tried[m] = true;
  send ! m
}

active proctype Sender() {
  byte m;
end:
  do
  :: atomic { nfull(send) && MAY_SEND(0) -> push(0) }
  :: atomic { nfull(send) && MAY_SEND(1) -> push(1) }
  :: atomic { nfull(send) && MAY_SEND(2) -> push(2) }
  :: sent ? m -> acked[m] = true
  od
}

inline commitRow(m) {
  atomic {
    if
    :: !known[m] -> known[m] = true; row[m] = true; order[accepted] = m; accepted++
    :: else -> skip
    fi
  }
}

active proctype Relay() {
  byte m, i;
end:
  do
  :: send ? m ->
#ifdef RELAY_ACKS_FIRST
       sent ! m;
#else
       commitRow(m);
#endif
       if
       :: true
       :: atomic { faults > 0 -> faults--; cutSender(); cutRecipient(); goto end }
       fi;
#ifdef RELAY_ACKS_FIRST
       commitRow(m)
#else
       sent ! m
#endif
  :: atomic { cursor < accepted && nfull(deliver) ->
       if
       :: row[order[cursor]] -> deliver ! order[cursor]
       :: else -> skip
       fi;
       cursor++ }
  :: done ? m -> row[m] = false
  od
}

inline reveal(m) {
  atomic {
    if
#ifdef NO_DEDUPLICATION
    :: true ->
#else
    :: shown[m] -> skip
    :: else ->
#endif
         assert(!shown[m]);   /* exactly once */
         assert(m == count);  /* in the order in which they were sent */
         shown[m] = true;
         count++
    fi
  }
}

active proctype Recipient() {
  byte m;
end:
  do
  :: deliver ? m ->
#ifdef RECIPIENT_ACKS_FIRST
       done ! m;
#else
       reveal(m);
#endif
       if
       :: true
       :: atomic { faults > 0 -> faults--; cutRecipient(); goto end }
       fi;
#ifdef RECIPIENT_ACKS_FIRST
       reveal(m)
#else
       done ! m
#endif
  od
}

/* Breaks connections; a sender that dies loses no more than its connection. */
active proctype Network() {
  byte i;
end:
  do
  :: atomic { faults > 0 -> faults--; cutSender() }
  :: atomic { faults > 0 -> faults--; cutRecipient() }
  od
}

#define KEPT(m) (!acked[m] || row[m] || shown[m])

ltl kept { [] (KEPT(0) && KEPT(1) && KEPT(2)) }
ltl arrives { <> (shown[0] && shown[1] && shown[2] && acked[0] && acked[1] && acked[2]) }
