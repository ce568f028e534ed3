CREATE TABLE "deleted_account" (
    "hash" BYTEA NOT NULL,

    CONSTRAINT "deleted_account_pkey" PRIMARY KEY ("hash")
);
