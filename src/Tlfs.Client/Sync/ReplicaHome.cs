using Tlfs.Client.Storage;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace Tlfs.Client.Sync;

/// <summary>
/// Everything a replica keeps in its folder, behind one gate: whoever touches it does so inside <see cref="Do{T}"/>. Nothing in here talks to
/// a server, so the gate is never held for long.
/// </summary>
internal sealed class ReplicaHome : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SqliteReplicaStore _store;
    private bool _disposed;

    private ReplicaHome(LocalFirstOptions options, SqliteReplicaStore store)
    {
        Options = options;
        _store = store;
        var database = store.Database;
        (Keys, Name) = new IdentityTable(database).Load();
        Replica = new(store, Keys, options.Entropy);
        Schemas = new(database);
        Cloudpeers = new(database, Keys.Card.Account);
        Custody = new(database);
        Logs = new(database);
        Evidence = new(database);
        People = new(database);
        Contacts = new(database, options.Entropy);
        Fills = new(database);
        Moves = new(database);
        Settings = new(database);
        foreach (var schema in Schemas.All()) Replica.UseSchema(schema);
    }

    /// <summary>What was handed in.</summary>
    public LocalFirstOptions Options { get; }

    /// <summary>The keys of this device and account.</summary>
    public AccountKeys Keys { get; }

    /// <summary>The name given at the start.</summary>
    public string Name { get; }

    /// <summary>Documents; inside the gate only.</summary>
    public Replica Replica { get; }

    public SchemaTable Schemas { get; }

    public CloudpeerTable Cloudpeers { get; }

    public CustodyTable Custody { get; }

    public LogTable Logs { get; }

    public EvidenceTable Evidence { get; }

    public PeopleTable People { get; }

    public ContactTable Contacts { get; }

    public FillTable Fills { get; }

    public MoveTable Moves { get; }

    public SettingTable Settings { get; }

    /// <summary>Whether others may see up to where this device has fetched their documents; inside the gate only.</summary>
    public bool ShowsDelivery => Options.ShowDelivery ?? Settings.ShowsDelivery;

    /// <summary>The file; inside the gate only.</summary>
    public ReplicaDatabase Database => _store.Database;

    /// <summary>Raised, outside the gate, when this process has made envelopes or changed what servers a document has.</summary>
    public event EventHandler? Edited;

    /// <summary>Raised, perhaps inside the gate, when a document may have changed: by this process, by another, or by what a server sent.</summary>
    public event EventHandler? Changed;

    /// <summary>Makes a new identity in the folder.</summary>
    public static (ReplicaHome Home, string RecoveryWords) Initialise(LocalFirstOptions options, string name)
    {
        SqliteReplicaStore? store = SqliteReplicaStore.Open(options.Home);
        try
        {
            var identity = new IdentityTable(store.Database);
            if (identity.Exists) throw IdentityTable.Taken();
            using var phrase = RecoveryPhrase.Generate(options.Entropy);
            using var keys = AccountKeys.Create(options.Entropy, phrase);
            store.Write(_ =>
            {
                identity.Save(keys, name);
                return true;
            });
            var home = new ReplicaHome(options, store);
            store = null;
            return (home, phrase.Reveal());
        }
        finally
        {
            store?.Dispose();
        }
    }

    /// <summary>Opens a folder with an identity.</summary>
    public static ReplicaHome Open(LocalFirstOptions options)
    {
        SqliteReplicaStore? store = new(ReplicaDatabase.Open(options.Home));
        try
        {
            var home = new ReplicaHome(options, store);
            store = null;
            return home;
        }
        finally
        {
            store?.Dispose();
        }
    }

    /// <summary>Runs work that has the replica for itself within this process.</summary>
    public T Do<T>(Func<T> work)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return work();
        }
    }

    /// <summary>The same for work without a result.</summary>
    public void Do(Action work) => Do(() =>
    {
        work();
        return true;
    });

    /// <summary>The same off the caller's thread: storing waits for the disk.</summary>
    public Task<T> DoAsync<T>(Func<T> work, CancellationToken cancellationToken) => Task.Run(() => Do(work), cancellationToken);

    /// <summary>Makes envelopes in a document, and tells who watches.</summary>
    public async Task<T> AuthorAsync<T>(DocId document, Func<DocumentAuthor, T> make, CancellationToken cancellationToken)
    {
        var result = await DoAsync(() => Author(document, make), cancellationToken);
        NotifyEdited();
        return result;
    }

    /// <summary>Makes envelopes in a document; inside the gate.</summary>
    public T Author<T>(DocId document, Func<DocumentAuthor, T> make) => Replica.Author(document, make, SeenHead(document));

    /// <summary>Writes what was withdrawn again; inside the gate.</summary>
    public int Reapply(DocId document) => Replica.Reapply(document, SeenHead(document));

    /// <summary>Tells who watches that there may be something to send.</summary>
    public void NotifyEdited()
    {
        Edited?.Invoke(this, EventArgs.Empty);
        NotifyChanged();
    }

    /// <summary>Tells who watches documents that one may have changed.</summary>
    public void NotifyChanged() => Changed?.Invoke(this, EventArgs.Empty);

    /// <summary>Receives envelopes from a server, and tells who watches the document; inside the gate.</summary>
    public IReadOnlyList<Outcome> Receive(DocId document, IReadOnlyList<Envelope> envelopes)
    {
        var outcomes = Replica.Receive(document, envelopes);
        Changed?.Invoke(this, EventArgs.Empty);
        return outcomes;
    }

    /// <summary>
    /// Gives the cloudpeers that get every document what they have not been given yet; inside the gate. A grant that somebody ended is not given again.
    /// </summary>
    public void GrantHosting(DocId document)
    {
        var policy = Replica.Open(document).Policy;
        if (!policy.May(Keys.Device.Public, Permission.Control)) return;
        foreach (var cloudpeer in Cloudpeers.All().Where(cloudpeer => cloudpeer.EveryDocument))
        {
            if (!policy.Grants.Any(grant => grant.Actor.Peer == cloudpeer.Server))
                Author(document, author => author.Grant(new PeerActor(cloudpeer.Server), Permission.Sync));
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
            Replica.Dispose();
            Keys.Dispose();
            _store.Dispose();
        }
    }

    // The newest head of any server goes into the next envelope, so that others can tell when a server shows them less (envelope.md §1, key 10).
    private LogHead? SeenHead(DocId document) => Custody.Servers(document)
        .Select(server => new Place(document, server))
        .Where(place => Custody.Fault(place) is null)
        .Select(Custody.Head)
        .OfType<LogHead>()
        .MaxBy(head => head.Micros);
}
