using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Schema;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

/// <summary>
/// The documents of one device: loads them from a store, and stores every change before anybody sees it. Not thread-safe; several processes may
/// use one store.
/// </summary>
public sealed class Replica : IDisposable
{
    private readonly IReplicaStore _store;
    private readonly IEntropy _entropy;
    private readonly Dictionary<DocId, Loaded> _loaded = [];
    private readonly Dictionary<string, TlfsSchema> _schemas = new(StringComparer.Ordinal);

    /// <summary>A replica over a store. The keys stay the caller's.</summary>
    public Replica(IReplicaStore store, AccountKeys own, IEntropy entropy)
    {
        _store = store;
        _entropy = entropy;
        Own = own;
    }

    /// <summary>This device's and account's keys.</summary>
    public AccountKeys Own { get; }

    /// <summary>The documents kept here.</summary>
    public IReadOnlyList<DocId> Documents => _store.Documents();

    /// <summary>The schemas this replica knows by itself, by name.</summary>
    public IReadOnlyDictionary<string, TlfsSchema> Schemas => _schemas;

    /// <summary>Makes this replica read and write documents of that name through the schema's latest version.</summary>
    public void UseSchema(TlfsSchema schema)
    {
        _schemas[schema.Name] = schema;
        foreach (var loaded in _loaded.Values) ApplySchema(loaded.Document);
    }

    /// <summary>Makes a new document of a known schema. It is durable when this returns.</summary>
    public DocId Create(string schema)
    {
        if (!_schemas.TryGetValue(schema, out var known))
            throw new TlfsException(Reason.SchemaNotFound, $"no schema named {schema} here; add it with: schema add FILE");
        using var authority = SigningKey.Generate(_entropy);
        var id = new DocId(authority.Public.Value);
        var loaded = _loaded[id] = new(id, Own);
        return Guarded(id, () => _store.Write(writer =>
        {
            var author = new DocumentAuthor(loaded.Document, _entropy);
            author.Begin(authority, known.Latest);
            writer.AddDocument(id);
            loaded.Row = writer.Append(id, author.Bundle);
            ApplySchema(loaded.Document);
            return id;
        }));
    }

    /// <summary>Starts to keep a document made elsewhere; nothing of it is here yet.</summary>
    public void Join(DocId document) => _store.Write(writer =>
    {
        writer.AddDocument(document);
        return true;
    });

    /// <summary>Removes a document from this device.</summary>
    public void Remove(DocId document)
    {
        RequireKnown(document);
        _store.Write(writer =>
        {
            writer.RemoveDocument(document);
            return true;
        });
        Forget(document);
    }

    /// <summary>A document, up to date with the store. It stays the replica's.</summary>
    public Document Open(DocId document) => Guarded(document, () => Refresh(document).Document);

    /// <summary>
    /// Makes envelopes and stores them as one bundle; they are durable when this returns. If anything throws, nothing happened.
    /// </summary>
    public T Author<T>(DocId document, Func<DocumentAuthor, T> make, LogHead? seen = null) =>
        Guarded(document, () => _store.Write(writer =>
        {
            var loaded = Refresh(document);
            var author = new DocumentAuthor(loaded.Document, _entropy, seen);
            var result = make(author);
            if (author.Bundle.Count > 0) loaded.Row = writer.Append(document, author.Bundle);
            ApplySchema(loaded.Document);
            return result;
        }));

    /// <summary>Receives envelopes from elsewhere; those that are held are durable when this returns.</summary>
    public IReadOnlyList<Outcome> Receive(DocId document, IReadOnlyList<Envelope> envelopes) =>
        Guarded(document, () => _store.Write(writer =>
        {
            var loaded = Refresh(document);
            var before = loaded.Document.Log.Count;
            var outcomes = loaded.Document.Receive(envelopes);
            foreach (var held in loaded.Document.HeldSince(before)) loaded.Row = writer.Append(document, [held.Envelope]);
            ApplySchema(loaded.Document);
            return outcomes;
        }));

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var loaded in _loaded.Values) loaded.Dispose();
    }

    private Loaded Refresh(DocId id)
    {
        RequireKnown(id);
        if (!_loaded.TryGetValue(id, out var loaded)) _loaded[id] = loaded = new(id, Own);
        var row = loaded.Row;
        var news = new List<Envelope>();
        foreach (var stored in _store.Envelopes(id, loaded.Row))
        {
            if (!Envelope.TryDecode(stored.Bytes, out var envelope, out var error)) throw Damaged(error.Detail);
            news.Add(envelope);
            row = stored.Row;
        }

        if (news.Count == 0) return loaded;

        // What was held once is held again; if not, this device would sign a number of its chain twice.
        if (!loaded.Document.Receive(news, verified: true).All(outcome => outcome.IsHeld)) throw Damaged("an envelope is missing");
        loaded.Row = row;
        ApplySchema(loaded.Document);
        return loaded;
    }

    private static TlfsException Damaged(string detail) =>
        new(Reason.InputOutput, $"the stored copy of a document is damaged ({detail}); restore it or sync it anew");

    private void ApplySchema(Document document)
    {
        if (document.CarriedName is { } name) document.UseLocalSchema(_schemas.GetValueOrDefault(name));
    }

    private void RequireKnown(DocId document)
    {
        if (!_store.Documents().Contains(document)) throw new TlfsException(Reason.DocumentNotFound, "no document with that id here; list them with: doc list");
    }

    // The document object is ahead of the store when something throws; forget it, so that it is loaded anew.
    private T Guarded<T>(DocId document, Func<T> work)
    {
        try
        {
            return work();
        }
        catch
        {
            Forget(document);
            throw;
        }
    }

    private void Forget(DocId document)
    {
        if (_loaded.Remove(document, out var loaded)) loaded.Dispose();
    }

    private sealed class Loaded(DocId id, AccountKeys own) : IDisposable
    {
        public Document Document { get; } = new(id, own);

        public long Row { get; set; }

        public void Dispose() => Document.Dispose();
    }
}
