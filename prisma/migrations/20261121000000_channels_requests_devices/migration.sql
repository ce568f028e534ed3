ALTER TABLE "account"
    ADD COLUMN "skeleton" TEXT,
    ADD COLUMN "head" BYTEA,
    ADD COLUMN "delivery" BYTEA;

-- Until now a chain had one event, and the account's id is its hash.
UPDATE "account" SET
    "head" = "id",
    "skeleton" = replace(replace(replace(translate("handle", '01', 'ol'), '_', ''), 'm', 'rn'), 'w', 'vv');

-- Two that look alike already keep their handles. No handle has a space, so this is nobody's skeleton.
UPDATE "account" SET "skeleton" = "skeleton" || ' ' || "handle"
    WHERE EXISTS (
        SELECT FROM "account" AS "other"
        WHERE "other"."skeleton" = "account"."skeleton" AND "other"."id" < "account"."id"
    );

ALTER TABLE "account"
    ALTER COLUMN "skeleton" SET NOT NULL,
    ALTER COLUMN "head" SET NOT NULL;

CREATE UNIQUE INDEX "account_skeleton_key" ON "account"("skeleton");

ALTER TABLE "chain_event" ADD COLUMN "day" INTEGER NOT NULL DEFAULT 0;

ALTER TABLE "envelope"
    ADD COLUMN "post" BIGINT,
    ADD COLUMN "request" BOOLEAN NOT NULL DEFAULT false;

DROP INDEX "envelope_waiting_idx";

-- Every ack had to write into it, for the sake of one look an hour.
DROP INDEX "envelope_acked_idx";

CREATE INDEX "envelope_waiting_idx" ON "envelope"("device", "seq") WHERE "acked_day" IS NULL;

CREATE INDEX "envelope_request_idx" ON "envelope"("device") WHERE "request" AND "acked_day" IS NULL;

-- For what nobody fetches: rows lie about in the order of their times.
CREATE INDEX "envelope_at_idx" ON "envelope" USING brin ("at");

CREATE INDEX "envelope_post_idx" ON "envelope"("post") WHERE "post" IS NOT NULL AND "acked_day" IS NULL;

CREATE TABLE "post" (
    "seq" BIGSERIAL NOT NULL,
    "channel" BYTEA NOT NULL,
    "body" BYTEA NOT NULL,

    CONSTRAINT "post_pkey" PRIMARY KEY ("seq")
);

ALTER TABLE "post" ALTER COLUMN "body" SET STORAGE EXTERNAL;

CREATE TABLE "channel" (
    "id" BYTEA NOT NULL,
    "epoch" BIGINT NOT NULL,

    CONSTRAINT "channel_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "channel_member" (
    "channel" BYTEA NOT NULL,
    "account" BYTEA NOT NULL,
    "admin" BOOLEAN NOT NULL,

    CONSTRAINT "channel_member_pkey" PRIMARY KEY ("channel", "account"),
    CONSTRAINT "channel_member_channel_fkey" FOREIGN KEY ("channel") REFERENCES "channel"("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE INDEX "channel_member_account_idx" ON "channel_member"("account");

CREATE TABLE "channel_entry" (
    "channel" BYTEA NOT NULL,
    "epoch" BIGINT NOT NULL,
    "entry" BYTEA NOT NULL,

    CONSTRAINT "channel_entry_pkey" PRIMARY KEY ("channel", "epoch"),
    CONSTRAINT "channel_entry_channel_fkey" FOREIGN KEY ("channel") REFERENCES "channel"("id") ON DELETE CASCADE ON UPDATE CASCADE
);

ALTER TABLE "channel_entry" ALTER COLUMN "entry" SET STORAGE EXTERNAL;

CREATE TABLE "email_code" (
    "request" BYTEA NOT NULL,
    "hash" BYTEA NOT NULL,
    "tries" SMALLINT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "email_code_pkey" PRIMARY KEY ("request")
);

CREATE TABLE "phone_sign_in" (
    "id" BYTEA NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "phone_sign_in_pkey" PRIMARY KEY ("id")
);
