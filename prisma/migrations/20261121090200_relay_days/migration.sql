-- CreateTable
CREATE TABLE "relay_day" (
    "day" INTEGER NOT NULL,

    CONSTRAINT "relay_day_pkey" PRIMARY KEY ("day")
);

-- Days on which something was accepted are days on which a relay ran.
INSERT INTO "relay_day" SELECT DISTINCT "at" / 86400000 FROM "envelope";
