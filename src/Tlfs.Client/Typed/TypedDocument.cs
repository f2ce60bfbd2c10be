using System.Text.Json;
using Tlfs.Core;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;

namespace Tlfs.Client.Typed;

/// <summary>A document with the types of its schema. Generated classes derive from it.</summary>
/// <typeparam name="TState">The document's content at one moment.</typeparam>
/// <typeparam name="TEdit">The document during an edit.</typeparam>
public abstract class TypedDocument<TState, TEdit>
{
    private readonly string _schema;
    private readonly string _version;
    private readonly Shape<TState> _shape;
    private readonly Func<Cursor, TEdit> _edit;

    /// <summary>A document and the schema version that the types were made from.</summary>
    protected TypedDocument(LocalDocument document, string schema, string version, Shape<TState> shape, Func<Cursor, TEdit> edit)
    {
        Document = document;
        _schema = schema;
        _version = version;
        _shape = shape;
        _edit = edit;
    }

    /// <summary>The document without types: grants, log, verification.</summary>
    public LocalDocument Document { get; }

    /// <summary>The document's id.</summary>
    public DocId Id => Document.Id;

    /// <summary>
    /// The content as it is now, all of it at one moment. <c>key-missing</c> while its keys have not arrived; <c>schema-differs</c> if this replica reads the
    /// document through another version than the types were made from.
    /// </summary>
    public TState Read()
    {
        RequireVersion();
        return _shape.Read(JsonElement.Parse(Document.ToJson(allValues: true)));
    }

    /// <summary>One transaction: all edits become one delta, durable when this returns. If anything throws, nothing happened.</summary>
    public Task<EditResult> EditAsync(Action<TEdit> edit, CancellationToken cancellationToken = default)
    {
        RequireVersion();
        return Document.EditAsync((Cursor cursor) => edit(_edit(cursor)), cancellationToken);
    }

    /// <summary>
    /// Tells the new value whenever a register or flag changes (<see cref="LocalDocument.Watch"/>).
    /// </summary>
    protected DocumentWatch OnValue<T>(string path, Shape<T> shape, Action<T> changed) => Watch(path, change =>
    {
        if (string.Equals(change.Path, path, StringComparison.Ordinal) && change.Value is { } value) changed(shape.Read(JsonElement.Parse(value)));
    });

    /// <summary>Tells what happens to an array and inside its elements (<see cref="LocalDocument.Watch"/>).</summary>
    protected DocumentWatch OnArray<T>(string path, Shape<T> shape, Action<ArrayChange<T>> changed) => Watch(path, change =>
    {
        if (TypedChange.Of(change, path, shape) is { } typed) changed(typed);
    });

    /// <summary>Tells what happens to a table and inside its rows (<see cref="LocalDocument.Watch"/>).</summary>
    protected DocumentWatch OnTable<TKey, TValue>(string path, TableKey<TKey> keys, Shape<TValue> shape, Action<TableChange<TKey, TValue>> changed)
        where TKey : notnull
    {
        return Watch(path, change =>
        {
            if (TypedChange.Of(change, path, keys, shape) is { } typed) changed(typed);
        });
    }

    /// <summary>Tells what happens at and below a path, without types (<see cref="LocalDocument.Watch"/>).</summary>
    public DocumentWatch Watch(string path, Action<DocumentChange> changed)
    {
        RequireVersion();
        return Document.Watch(path, changed);
    }

    private void RequireVersion()
    {
        if (Document.Schema is not { } schema || Document.Version is not { } version) return; // What is missing is said by whoever reads.
        if (!string.Equals(schema, _schema, StringComparison.Ordinal))
            throw new TlfsException(Reason.SchemaDiffers, $"the document is of schema {schema} and not of {_schema}");
        if (!string.Equals(version, _version, StringComparison.Ordinal))
            throw new TlfsException(Reason.SchemaDiffers, $"the types were generated from {_schema} {_version}, and this replica uses {version}: use one version for both");
    }
}
