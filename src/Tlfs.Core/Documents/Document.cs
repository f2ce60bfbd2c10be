using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Radix;
using Tlfs.Core.Schema;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

/// <summary>
/// One document as one account sees it: a pure function of the set of envelopes received (docs/protocol/operations.md §4). It does no I/O; a
/// replica stores what it is given and what <see cref="DocumentAuthor"/> makes. Not thread-safe.
/// </summary>
public sealed partial class Document : IDisposable
{
    private readonly PolicySet _policy;
    private readonly Keyring _keyring;
    private readonly RadixEditor _tree;
    private readonly Chains _chains;
    private readonly DocumentState _state;
    private readonly EnvelopeLog _log;
    private readonly CarriedSchemas _schemas;
    private TlfsSchema? _localSchema;

    /// <summary>A document of which nothing is held yet. It keeps all its envelopes in memory.</summary>
    public Document(DocId id, AccountKeys own)
        : this(id, own, RadixTree.Empty, null)
    {
    }

    /// <summary>A document as a <see cref="Version"/> of it was left. What lies below is read when it is needed.</summary>
    /// <param name="id">The document.</param>
    /// <param name="own">The keys of this device and account; they stay the caller's.</param>
    /// <param name="version">The version, empty for a document of which nothing is held.</param>
    /// <param name="source">Where its envelopes are; null to keep them all in memory.</param>
    public Document(DocId id, AccountKeys own, RadixTree version, IEnvelopeSource? source)
    {
        Id = id;
        Own = own;
        _policy = new(id);
        _keyring = new(id, own);
        _tree = new(version);
        _chains = new(_tree);
        _log = new(_tree, source);
        _state = new(_tree, new OpenedParts(this));
        _schemas = new(_tree);
        Recall();
    }

    /// <summary>The document's id.</summary>
    public DocId Id { get; }

    /// <summary>All envelopes held, in the order in which they were received: causes before effects.</summary>
    public IReadOnlyList<HeldEnvelope> Log => _log;

    /// <summary>What the statements held mean.</summary>
    public PolicyView Policy => _policy.Evaluate();

    /// <summary>A statement that is held and all that it has seen, each after those: what shows it to somebody who has none of them.</summary>
    public IReadOnlyList<Envelope> UpTo(EnvelopeId statement) => [.. Policy.PastOf(statement).Append(statement).Select(id => _log.Find(id)!.Envelope)];

    /// <summary>Everything that is known of the document, at this moment: constant, cheap to keep, and what a checkpoint stores.</summary>
    public RadixTree Version => _tree.Snapshot();

    /// <summary>Live values.</summary>
    public int EntryCount => _state.EntryCount;

    /// <summary>True if the document has keys and this account holds none of them yet.</summary>
    public bool IsLocked => _keyring.IsLocked;

    /// <summary>The name of the schema that the document carries; null while none is readable.</summary>
    public string? CarriedName => _schemas.Longest?.List.Name;

    /// <summary>A hash of the state, equal on all replicas that hold the same envelopes and keys.</summary>
    public Bytes32 StateHash => _state.StateHash();

    internal AccountKeys Own { get; }

    internal PolicySet Statements => _policy;

    internal Keyring Keyring => _keyring;

    internal Chains Chains => _chains;

    internal DocumentState State => _state;

    /// <summary>
    /// The schema version through which the document is read and written: the newest local version that has a carried version in common,
    /// else the longest that the document carries.
    /// </summary>
    public TlfsVersion Schema
    {
        get
        {
            var carried = _schemas.Longest ?? throw (IsLocked
                ? new TlfsException(Reason.KeyMissing, "no key yet: somebody who can read the document must be online once")
                : new TlfsException(_log.Count == 0 ? Reason.KeyMissing : Reason.SchemaUnknown, "nothing to read has arrived yet; sync first"));
            if (_localSchema is null || !string.Equals(_localSchema.Name, carried.List.Name, StringComparison.Ordinal)) return carried;
            var local = _localSchema.Latest;
            return local.List.StartsWith(carried.List) || carried.List.StartsWith(local.List)
                ? local
                : throw new TlfsException(Reason.SchemaDiffers, $"the document's schema {carried.List.Name} and the one added here have no common beginning");
        }
    }

    /// <summary>Makes the document use this replica's own version of its schema, if it has one.</summary>
    public void UseLocalSchema(TlfsSchema? schema) => _localSchema = schema;

    /// <summary>The document, or what is at a path, as JSON text (operations.md §5).</summary>
    /// <param name="path">A view path; <c>.</c> is the root.</param>
    /// <param name="allValues">Shows each register as an array of all its values.</param>
    public string ToJson(string path = ".", bool allValues = false) => JsonView.Text(Schema.List.View, _state, path, allValues, Readable());

    /// <summary>The envelope, or null if it is not held.</summary>
    public HeldEnvelope? Find(EnvelopeId id) => _log.Find(id);

    /// <summary>Takes note that an envelope is in this row of the store now.</summary>
    public void Stored(EnvelopeId envelope, long row) => _log.Stored(envelope, row);

    /// <inheritdoc />
    public void Dispose() => _keyring.Dispose();

    internal bool Carries(SchemaHash schema, ZoneId zone) => _schemas.Carries(schema, zone);

    // Operations are not kept in memory; a part is opened again when one of them is to be taken back.
    private sealed class OpenedParts(Document document) : IOperationSource
    {
        public IReadOnlyList<Operation?> Operations(EnvelopeId envelope, ushort part)
        {
            var held = document._log.Find(envelope)!;
            var found = held.Parts[part];
            if (found.IsOpen) return document.ContentOf(held, found).Operations;
            return document.ForwardedOperations(held, found);
        }
    }
}
