namespace Tlfs.Client.Storage;

/// <summary>The tables of a replica's file, format version 1. Ids are blobs, instants are microseconds since 1970.</summary>
internal static class ReplicaTables
{
    /// <summary>The format that this software reads and writes.</summary>
    public const long Version = 1;

    /// <summary>Makes them all; does nothing where they are.</summary>
    public const string Create = """
        CREATE TABLE IF NOT EXISTS format(version INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS identity(id INTEGER PRIMARY KEY CHECK(id = 1), keys BLOB NOT NULL, name TEXT NOT NULL, delivery_token BLOB);
        CREATE TABLE IF NOT EXISTS document(number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, deleting INTEGER);
        CREATE TABLE IF NOT EXISTS envelope(
            row INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL REFERENCES document ON DELETE CASCADE,
            bundle INTEGER NOT NULL, id BLOB NOT NULL, bytes BLOB NOT NULL, present INTEGER);
        CREATE INDEX IF NOT EXISTS envelope_document ON envelope(document);
        CREATE UNIQUE INDEX IF NOT EXISTS envelope_id ON envelope(document, id);
        CREATE TABLE IF NOT EXISTS checkpoint(
            document INTEGER PRIMARY KEY REFERENCES document ON DELETE CASCADE, format INTEGER NOT NULL, row INTEGER NOT NULL, bytes INTEGER NOT NULL,
            page INTEGER NOT NULL, entries INTEGER NOT NULL, hash BLOB NOT NULL);
        CREATE TABLE IF NOT EXISTS page(
            number INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL REFERENCES document ON DELETE CASCADE, freed INTEGER NOT NULL DEFAULT 0,
            bytes BLOB NOT NULL);
        CREATE INDEX IF NOT EXISTS page_document ON page(document, freed);
        CREATE TABLE IF NOT EXISTS schema_version(
            name TEXT NOT NULL, place INTEGER NOT NULL, version TEXT NOT NULL, lenses BLOB NOT NULL, PRIMARY KEY(name, place)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS server(number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE);
        CREATE TABLE IF NOT EXISTS cloudpeer(
            url TEXT PRIMARY KEY, server INTEGER NOT NULL REFERENCES server, every INTEGER NOT NULL, app TEXT,
            plan TEXT, quota INTEGER, used INTEGER, sign_up TEXT, state TEXT, token_hash BLOB);
        CREATE TABLE IF NOT EXISTS hosted(
            url TEXT NOT NULL REFERENCES cloudpeer ON DELETE CASCADE, id BLOB NOT NULL, bytes INTEGER NOT NULL, envelopes INTEGER NOT NULL, app TEXT NOT NULL,
            PRIMARY KEY(url, id)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS address(
            document INTEGER NOT NULL REFERENCES document ON DELETE CASCADE, server INTEGER NOT NULL REFERENCES server, url TEXT NOT NULL,
            pin_size INTEGER, pin_root BLOB, PRIMARY KEY(document, server)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS progress(
            document INTEGER NOT NULL REFERENCES document ON DELETE CASCADE, server INTEGER NOT NULL REFERENCES server, pulled BLOB NOT NULL,
            head BLOB, confirmed INTEGER, fault TEXT, fault_text TEXT, PRIMARY KEY(document, server)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS log_entry(
            document INTEGER NOT NULL REFERENCES document ON DELETE CASCADE, server INTEGER NOT NULL REFERENCES server, idx INTEGER NOT NULL,
            id BLOB NOT NULL, root BLOB NOT NULL, PRIMARY KEY(document, server, idx)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS seen(
            document INTEGER NOT NULL REFERENCES document ON DELETE CASCADE, server INTEGER NOT NULL REFERENCES server, size INTEGER NOT NULL,
            root BLOB NOT NULL, head BLOB NOT NULL, PRIMARY KEY(document, server, size, root)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS generation(
            document INTEGER NOT NULL REFERENCES document ON DELETE CASCADE, server INTEGER NOT NULL REFERENCES server, number INTEGER NOT NULL,
            bytes BLOB NOT NULL, lost INTEGER NOT NULL, PRIMARY KEY(document, server, number)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS lost(
            row INTEGER NOT NULL REFERENCES envelope ON DELETE CASCADE, server INTEGER NOT NULL REFERENCES server, PRIMARY KEY(row, server)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS evidence(
            number INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL REFERENCES document ON DELETE CASCADE,
            server INTEGER NOT NULL REFERENCES server, kind TEXT NOT NULL, message TEXT NOT NULL, micros INTEGER NOT NULL, bytes BLOB);
        CREATE TABLE IF NOT EXISTS held(
            row INTEGER NOT NULL REFERENCES envelope ON DELETE CASCADE, server INTEGER NOT NULL REFERENCES server, size INTEGER, receipt BLOB,
            PRIMARY KEY(row, server)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS refused(
            row INTEGER NOT NULL REFERENCES envelope ON DELETE CASCADE, server INTEGER NOT NULL REFERENCES server, reason TEXT NOT NULL,
            message TEXT NOT NULL, resource TEXT, quota_limit INTEGER, quota_used INTEGER, PRIMARY KEY(row, server)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS card(
            account BLOB PRIMARY KEY, device BLOB NOT NULL, bytes BLOB NOT NULL, url TEXT, token BLOB, token_micros INTEGER, blocked INTEGER);
        CREATE TABLE IF NOT EXISTS invitation(
            number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, sender BLOB NOT NULL, micros INTEGER NOT NULL,
            body BLOB NOT NULL, answered INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS withdrawn(
            number INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL REFERENCES document ON DELETE CASCADE, id BLOB NOT NULL,
            seq INTEGER NOT NULL, bytes BLOB NOT NULL, reason TEXT NOT NULL, micros INTEGER NOT NULL, UNIQUE(document, id));
        CREATE INDEX IF NOT EXISTS envelope_partial ON envelope(document) WHERE present IS NOT NULL;
        CREATE TABLE IF NOT EXISTS filling(
            document INTEGER NOT NULL REFERENCES document ON DELETE CASCADE, server INTEGER NOT NULL REFERENCES server, rights BLOB NOT NULL,
            next INTEGER NOT NULL, PRIMARY KEY(document, server)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS epoch(
            document INTEGER NOT NULL REFERENCES document ON DELETE CASCADE, id BLOB NOT NULL, micros INTEGER NOT NULL, PRIMARY KEY(document, id)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS outgoing(
            number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, document BLOB NOT NULL, url TEXT, message BLOB NOT NULL, type INTEGER);
        CREATE TABLE IF NOT EXISTS move(
            source INTEGER PRIMARY KEY REFERENCES server, source_url TEXT NOT NULL, target_url TEXT NOT NULL, finished INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS move_document(
            source INTEGER NOT NULL REFERENCES move ON DELETE CASCADE, document BLOB NOT NULL, told INTEGER NOT NULL, envelopes INTEGER NOT NULL,
            PRIMARY KEY(source, document)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS move_untold(
            source INTEGER NOT NULL REFERENCES move ON DELETE CASCADE, account BLOB NOT NULL, PRIMARY KEY(source, account)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS setting(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS acked(
            document INTEGER NOT NULL REFERENCES document ON DELETE CASCADE, server INTEGER NOT NULL REFERENCES server, size INTEGER NOT NULL,
            PRIMARY KEY(document, server)) WITHOUT ROWID;
        """;

    /// <summary>Brings a replica to this form that was made before there was evidence: what was pulled before is pulled once more.</summary>
    public const string AddEvidence = "ALTER TABLE progress DROP COLUMN earlier; ALTER TABLE progress DROP COLUMN later;" + Create;

    /// <summary>Brings a replica to this form that was made before servers said which limit is reached.</summary>
    public const string AddLimits =
        "ALTER TABLE refused ADD COLUMN resource TEXT; ALTER TABLE refused ADD COLUMN quota_limit INTEGER; ALTER TABLE refused ADD COLUMN quota_used INTEGER;"
        + "ALTER TABLE cloudpeer ADD COLUMN state TEXT; ALTER TABLE document ADD COLUMN deleting INTEGER;" + Create;

    /// <summary>Brings a replica to this form that was made before there were delivery tokens.</summary>
    public const string AddContacts = """
        ALTER TABLE identity ADD COLUMN delivery_token BLOB;
        ALTER TABLE cloudpeer ADD COLUMN token_hash BLOB;
        ALTER TABLE card ADD COLUMN token BLOB;
        ALTER TABLE card ADD COLUMN token_micros INTEGER;
        ALTER TABLE card ADD COLUMN blocked INTEGER;
        ALTER TABLE outgoing ADD COLUMN type INTEGER;
        """;

    /// <summary>The tables in an order in which rows can be inserted again, without those that can be made again from the others. Exports number them: new ones come last.</summary>
    public static readonly string[] InOrder =
    [
        "identity", "document", "envelope", "schema_version", "server", "cloudpeer", "address", "progress", "held", "refused", "card", "invitation", "outgoing", "withdrawn",
        "log_entry", "seen", "generation", "lost", "evidence", "move", "move_document", "setting", "move_untold",
    ];
}
