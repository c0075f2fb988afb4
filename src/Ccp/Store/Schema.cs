namespace Ccp.Store;

/// <summary>The tables, as ordered migrations: a store remembers how many it has seen and runs the rest.</summary>
/// <remarks>Units are in the names: <c>_nano</c> is billionths of a US dollar, <c>_ms</c> Unix time in milliseconds, UTC.</remarks>
internal static class Schema
{
    /// <summary>"ccp1": tools that look at the head of a file can tell what it is.</summary>
    public const int ApplicationId = 0x63637031;

    private const string WrittenByNewer = "The store was written by a newer ccp; run that version, or restore a backup made by this one.";

    public static IReadOnlyList<string> Migrations { get; } =
    [
        """
        CREATE TABLE meta (
            key TEXT PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT;

        CREATE TABLE account (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            opened_as TEXT NOT NULL,
            opened_at_ms INTEGER NOT NULL,
            balance_nano INTEGER NOT NULL DEFAULT 0
        ) STRICT;

        -- A deleted user keeps the row; a name used again is a new row with a new account.
        CREATE TABLE user (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            account_id INTEGER NOT NULL UNIQUE REFERENCES account (id),
            token_sha256 BLOB CHECK (token_sha256 IS NULL OR length(token_sha256) = 32),
            is_admin INTEGER NOT NULL DEFAULT 0 CHECK (is_admin IN (0, 1)),
            is_disabled INTEGER NOT NULL DEFAULT 0 CHECK (is_disabled IN (0, 1)),
            is_billed INTEGER NOT NULL DEFAULT 1 CHECK (is_billed IN (0, 1)),
            markup TEXT,
            key_name TEXT,
            upstream_key BLOB,
            is_from_file INTEGER NOT NULL DEFAULT 0 CHECK (is_from_file IN (0, 1)),
            created_at_ms INTEGER NOT NULL,
            last_seen_at_ms INTEGER,
            deleted_at_ms INTEGER
        ) STRICT;
        CREATE UNIQUE INDEX user_name ON user (name) WHERE deleted_at_ms IS NULL;
        CREATE UNIQUE INDEX user_token ON user (token_sha256) WHERE deleted_at_ms IS NULL;

        CREATE TABLE entry (
            id INTEGER PRIMARY KEY,
            at_ms INTEGER NOT NULL,
            account_id INTEGER NOT NULL REFERENCES account (id),
            kind TEXT NOT NULL CHECK (kind IN ('topup', 'charge', 'refund', 'adjustment')),
            amount_nano INTEGER NOT NULL,
            balance_after_nano INTEGER NOT NULL,
            reference TEXT NOT NULL,
            actor TEXT NOT NULL,
            note TEXT NOT NULL,
            hash BLOB NOT NULL CHECK (length(hash) = 32),
            UNIQUE (account_id, kind, reference),
            CHECK (kind <> 'charge' OR amount_nano <= 0),
            CHECK (kind NOT IN ('topup', 'refund') OR amount_nano > 0)
        ) STRICT;
        CREATE TRIGGER entry_is_never_changed BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'ledger entries are never changed'); END;
        CREATE TRIGGER entry_is_never_deleted BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'ledger entries are never deleted'); END;

        -- An open row means: something was served and is not charged yet. What it would be charged now stands in it.
        CREATE TABLE hold (
            request_id TEXT PRIMARY KEY,
            account_id INTEGER NOT NULL REFERENCES account (id),
            opened_at_ms INTEGER NOT NULL,
            held_nano INTEGER NOT NULL CHECK (held_nano >= 0),
            cost_nano INTEGER NOT NULL CHECK (cost_nano >= 0),
            charge_nano INTEGER NOT NULL CHECK (charge_nano >= 0),
            input_tokens INTEGER NOT NULL,
            cache_write_5m_tokens INTEGER NOT NULL,
            cache_write_1h_tokens INTEGER NOT NULL,
            cache_read_tokens INTEGER NOT NULL,
            output_tokens INTEGER NOT NULL,
            user_id INTEGER NOT NULL,
            model TEXT NOT NULL,
            lane TEXT NOT NULL,
            is_stream INTEGER NOT NULL,
            session TEXT,
            agent TEXT,
            rates TEXT NOT NULL
        ) STRICT;

        CREATE TABLE request (
            id TEXT PRIMARY KEY,
            at_ms INTEGER NOT NULL,
            account_id INTEGER NOT NULL REFERENCES account (id),
            user_id INTEGER NOT NULL,
            model TEXT NOT NULL,
            answered_model TEXT,
            priced_as TEXT NOT NULL,
            lane TEXT NOT NULL,
            status INTEGER NOT NULL,
            reason TEXT NOT NULL,
            is_stream INTEGER NOT NULL,
            is_estimated INTEGER NOT NULL,
            input_tokens INTEGER NOT NULL,
            cache_write_5m_tokens INTEGER NOT NULL,
            cache_write_1h_tokens INTEGER NOT NULL,
            cache_read_tokens INTEGER NOT NULL,
            output_tokens INTEGER NOT NULL,
            web_searches INTEGER NOT NULL,
            cost_nano INTEGER NOT NULL,
            charge_nano INTEGER NOT NULL,
            session TEXT,
            agent TEXT,
            upstream_request_id TEXT,
            latency_ms INTEGER NOT NULL,
            ttft_ms INTEGER,
            rates TEXT NOT NULL
        ) STRICT;
        CREATE INDEX request_by_account ON request (account_id, at_ms);
        CREATE INDEX request_by_time ON request (at_ms);
        """,
        """
        -- A user's own limits, as JSON; NULL: none.
        ALTER TABLE user ADD COLUMN limits TEXT;
        """,
        """
        -- What a receipt is written from: the metered usage, and the rows of other models in it. Null in records that were there before.
        ALTER TABLE request ADD COLUMN metered TEXT;

        -- Finds the adjustments of a request by the end of their reference, rerate:RUN:REQUEST. Ledger/RequestEntries.cs asks in the same words.
        CREATE INDEX entry_of_rerate ON entry (substr(reference, 8 + instr(substr(reference, 8), ':')))
            WHERE kind = 'adjustment' AND reference >= 'rerate:' AND reference < 'rerate;';
        """,
        """
        -- Which lane signed a thinking block: the first half of the SHA-256 of its signature, never the signature.
        CREATE TABLE thinking_signature (
            hash BLOB PRIMARY KEY CHECK (length(hash) = 16),
            lane TEXT NOT NULL,
            expires_at_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX thinking_signature_by_expiry ON thinking_signature (expires_at_ms);
        """,
        """
        -- A 429 of the lane itself, the first of a shortage: how much of the quota was used by then, and until when the lane is left alone.
        CREATE TABLE quota_overshoot (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at_ms INTEGER NOT NULL,
            until_ms INTEGER NOT NULL,
            lane TEXT NOT NULL,
            model TEXT NOT NULL,
            rolling_ms INTEGER NOT NULL,
            rolling_tokens INTEGER NOT NULL,
            weekly_tokens INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX quota_overshoot_by_quota ON quota_overshoot (lane, model, id);

        -- What went wrong on a lane, by the hour: request records are of calls that were served.
        CREATE TABLE lane_event (
            hour_ms INTEGER NOT NULL,
            lane TEXT NOT NULL,
            model TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('429', 'fallback')),
            count INTEGER NOT NULL,
            PRIMARY KEY (hour_ms, lane, model, kind)
        ) STRICT, WITHOUT ROWID;
        """,
        """
        -- What the tokens of a call in progress are priced by, where it is known or was asked for.
        ALTER TABLE hold ADD COLUMN inference_geo TEXT;
        ALTER TABLE hold ADD COLUMN speed TEXT;
        """,
        """
        -- Where a call was to go and why, as it was decided before it was sent. Null in rows that were there before.
        ALTER TABLE hold ADD COLUMN decision TEXT;
        ALTER TABLE hold ADD COLUMN decision_reason TEXT;
        ALTER TABLE hold ADD COLUMN chosen_by TEXT;
        ALTER TABLE hold ADD COLUMN rejected TEXT;
        ALTER TABLE request ADD COLUMN decision TEXT;
        ALTER TABLE request ADD COLUMN decision_reason TEXT;
        ALTER TABLE request ADD COLUMN chosen_by TEXT;
        ALTER TABLE request ADD COLUMN rejected TEXT;
        """,
        """
        -- The whole of what the charge in the row was computed from, once the provider's final numbers are in; null until then.
        ALTER TABLE hold ADD COLUMN metered TEXT;
        ALTER TABLE hold ADD COLUMN answered_model TEXT;
        ALTER TABLE hold ADD COLUMN priced_as TEXT;
        ALTER TABLE hold ADD COLUMN is_exact INTEGER;
        """,
        """
        -- When a record was found that is dated later than the clock, which was ahead when it was written: quotas count it as of then. NULL: as of at_ms.
        ALTER TABLE request ADD COLUMN counted_at_ms INTEGER;
        """,
    ];

    /// <returns>Null when the file is a store that this ccp can read.</returns>
    public static string? FindMismatch(Database database) => Seen(database) switch
    {
        0 => "It is no store of ccp.",
        var seen when seen > Migrations.Count => WrittenByNewer,
        _ => null,
    };

    /// <exception cref="StoreUnavailableException">The store was written by a newer ccp.</exception>
    public static void Migrate(Database database)
    {
        var seen = Seen(database);
        if (seen > Migrations.Count)
        {
            throw new StoreUnavailableException(WrittenByNewer);
        }

        for (var next = seen; next < Migrations.Count; next++)
        {
            database.Execute($"BEGIN IMMEDIATE; {Migrations[next]} PRAGMA user_version = {next + 1}; COMMIT;");
        }
    }

    private static int Seen(Database database) => database.QueryFirst("PRAGMA user_version", row => row.GetInt32(0));
}
