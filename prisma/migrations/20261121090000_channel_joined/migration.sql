-- Whoever is in a channel by now is not known to have agreed to it: until it joins, what comes is a request.
ALTER TABLE "channel_member" ADD COLUMN "joined" BOOLEAN NOT NULL DEFAULT false;

ALTER TABLE "channel" ADD COLUMN "log_bytes" BIGINT NOT NULL DEFAULT 0;

UPDATE "channel" SET "log_bytes" = (
    SELECT coalesce(sum(octet_length("entry")), 0) FROM "channel_entry" WHERE "channel" = "id"
);

-- Those of a device that wait, and all that it had of late.
DROP INDEX "envelope_request_idx";

CREATE INDEX "envelope_request_idx" ON "envelope"("device", "acked_day") WHERE "request";
