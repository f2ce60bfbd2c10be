using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Radix;
using Tlfs.Core.Schema;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

/// <summary>
/// The documents of one device: loads them from a store, and stores every change before anybody sees it. Not thread-safe; several processes may
/// use one store.
/// </summary>
public sealed partial class Replica : IDisposable
{
    private readonly IReplicaStore _store;
    private readonly IEntropy _entropy;
    private readonly Dictionary<DocId, LoadedDocument> _loaded = [];
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
        return Guarded(id, () => _store.Write(writer =>
        {
            writer.AddDocument(id);
            var loaded = _loaded[id] = LoadedDocument.Open(_store, id, Own);
            var author = new DocumentAuthor(loaded.Document, _entropy);
            author.Begin(authority, known.Latest);
            loaded.Append(writer, author.Bundle);
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

    /// <summary>Bytes of a document's envelopes.</summary>
    public long Bytes(DocId document) => Guarded(document, () => Refresh(document).Bytes);

    /// <summary>
    /// Makes envelopes and stores them as one bundle; they are durable when this returns. If anything throws, nothing happened.
    /// </summary>
    public T Author<T>(DocId document, Func<DocumentAuthor, T> make, LogHead? seen = null) =>
        Guarded(document, () => _store.Write(writer =>
        {
            var loaded = Refresh(document);
            var author = new DocumentAuthor(loaded.Document, _entropy, seen);
            var result = make(author);
            if (author.Bundle.Count > 0) loaded.Append(writer, author.Bundle);
            ApplySchema(loaded.Document);
            loaded.SaveCheckpointIfDue(writer);
            return result;
        }));

    /// <summary>Receives envelopes from elsewhere; those that are held are durable when this returns.</summary>
    public IReadOnlyList<Outcome> Receive(DocId document, IReadOnlyList<Envelope> envelopes) =>
        Guarded(document, () => _store.Write(writer =>
        {
            var loaded = Refresh(document);
            var before = loaded.Document.Log.Count;
            var outcomes = loaded.Document.Receive(envelopes);
            foreach (var held in loaded.Document.HeldSince(before)) loaded.Append(writer, [held.Envelope]);
            loaded.Fill(writer);
            ApplySchema(loaded.Document);
            loaded.SaveCheckpointIfDue(writer);
            return outcomes;
        }));

    /// <summary>Closes all documents; what happened since their last checkpoints is put into new ones, if that helps who opens them next.</summary>
    public void Dispose()
    {
        foreach (var loaded in _loaded.Values)
        {
            if (loaded.IsWorthSaving) SaveCheckpoint(loaded);
            loaded.Dispose();
        }
    }

    private void SaveCheckpoint(LoadedDocument loaded)
    {
        try
        {
            _store.Write(writer =>
            {
                // Another process may have been faster.
                if (_store.Checkpoint(loaded.Id) == loaded.Checkpoint) loaded.SaveCheckpoint(writer, []);
                return true;
            });
        }
        catch (TlfsException)
        {
            // It would have saved time, nothing else; the envelopes are stored.
        }
    }

    private LoadedDocument Refresh(DocId id)
    {
        RequireKnown(id);
        if (_loaded.TryGetValue(id, out var loaded) && _store.Checkpoint(id) != loaded.Checkpoint)
        {
            Forget(id);
            loaded = null;
        }

        loaded ??= _loaded[id] = LoadedDocument.Open(_store, id, Own);
        if (loaded.Refresh()) ApplySchema(loaded.Document);
        return loaded;
    }

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
        catch (RadixPageException)
        {
            Forget(document);
            _store.Write(writer =>
            {
                writer.DropCheckpoint(document);
                return true;
            });
            throw LoadedDocument.Damaged("its checkpoint, which was dropped; the document itself is intact: try again");
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
}
