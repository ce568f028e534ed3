CREATE TABLE "account" (
    "id" BYTEA NOT NULL,
    "handle" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "account_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "account_handle_key" ON "account"("handle");

CREATE TABLE "chain_event" (
    "account" BYTEA NOT NULL,
    "index" INTEGER NOT NULL,
    "event" BYTEA NOT NULL,

    CONSTRAINT "chain_event_pkey" PRIMARY KEY ("account", "index"),
    CONSTRAINT "chain_event_account_fkey" FOREIGN KEY ("account") REFERENCES "account"("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "device" (
    "id" BYTEA NOT NULL,
    "account" BYTEA NOT NULL,
    "signing_key" BYTEA NOT NULL,
    "sealing_id" BIGINT,
    "sealing_created_at" BIGINT,
    "sealing_public_key" BYTEA,
    "sealing_signature" BYTEA,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "removed_at" TIMESTAMPTZ(3),

    CONSTRAINT "device_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "device_account_fkey" FOREIGN KEY ("account") REFERENCES "account"("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE INDEX "device_account_idx" ON "device"("account");

CREATE TABLE "prekey" (
    "device" BYTEA NOT NULL,
    "kind" SMALLINT NOT NULL,
    "id" BIGINT NOT NULL,
    "created_at" BIGINT NOT NULL,
    "expires_at" BIGINT NOT NULL,
    "public_key" BYTEA NOT NULL,
    "signature" BYTEA NOT NULL,

    CONSTRAINT "prekey_pkey" PRIMARY KEY ("device", "kind", "id"),
    CONSTRAINT "prekey_device_fkey" FOREIGN KEY ("device") REFERENCES "device"("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "invite" (
    "id" BYTEA NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "used" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "invite_pkey" PRIMARY KEY ("id")
);

-- No foreign key to the device: a check per row on the hottest path. The hourly sweep catches what a removal missed.
CREATE TABLE "envelope" (
    "device" BYTEA NOT NULL,
    "id" BYTEA NOT NULL,
    "seq" BIGSERIAL NOT NULL,
    "at" BIGINT NOT NULL,
    "body" BYTEA,
    "acked_day" INTEGER,

    CONSTRAINT "envelope_pkey" PRIMARY KEY ("device", "id")
);

-- Ciphertext does not compress.
ALTER TABLE "envelope" ALTER COLUMN "body" SET STORAGE EXTERNAL;

CREATE INDEX "envelope_waiting_idx" ON "envelope"("device", "seq") WHERE "body" IS NOT NULL;

CREATE INDEX "envelope_acked_idx" ON "envelope"("acked_day") WHERE "acked_day" IS NOT NULL;

CREATE TABLE "token_key" (
    "kid" TEXT NOT NULL,
    "jwk" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "token_key_pkey" PRIMARY KEY ("kid")
);
