using System.Globalization;
using System.Text.Json;
using Tlfs.Core;
using Tlfs.Core.Crdt;

namespace Tlfs.Client;

/// <summary>
/// A place in a document during an edit, for apps: <c>d["tasks"][0]["title"].Set("milk")</c>. Values are whatever <see cref="JsonSerializer"/> writes; the
/// schema decides whether they fit. For places with the types of a schema see <c>tlfs generate csharp</c> (docs/typed-access.md).
/// </summary>
public sealed class Cursor
{
    private readonly EditSession _session;
    private readonly string _path;

    internal Cursor(EditSession session, string path)
    {
        _session = session;
        _path = path;
    }

    /// <summary>A field of a struct. A name that is no field's is refused when the place is used.</summary>
    public Cursor this[string field] => new(_session, $"{_path}.{field}");

    /// <summary>An element of an array, by its index, or a row of a table with numbers as keys.</summary>
    public Cursor this[long index] => Below(index.ToString(CultureInfo.InvariantCulture));

    /// <summary>A row of a table with texts as keys.</summary>
    public Cursor Row(string key) => Below(JsonSerializer.Serialize(key));

    /// <summary>The place that a document cursor points to. <c>path-not-found</c> if this schema version does not show it.</summary>
    public Cursor At(DocumentCursor cursor) => _session.Transaction.Locate(cursor) is { } position
        ? new(_session, position.Path is "." ? "" : position.Path)
        : throw new TlfsException(Reason.PathNotFound, "this version of the schema does not show the place of that cursor");

    /// <summary>What stands here now, edits of this transaction included. <c>not-present</c> for a row that does not exist.</summary>
    /// <param name="allValues">Shows each register as an array of all its values.</param>
    public JsonElement Read(bool allValues = false) =>
        _session.Read(Path, allValues) ?? throw new TlfsException(Reason.NotPresent, $"there is no {Path}");

    /// <summary>Assigns a register (null unsets it), switches a flag, or replaces a struct, table or array.</summary>
    public void Set(object? value) => Set(JsonSerializer.SerializeToElement(value));

    /// <summary>Inserts an element into this array before the one at the index; the array's length appends.</summary>
    public void Insert(int index, object? value) => Insert(index, JsonSerializer.SerializeToElement(value));

    /// <summary>Moves an element of this array so that it stands at index <paramref name="to"/> afterwards.</summary>
    public void Move(int from, int to) => _session.Transaction.Move(Path, from, to);

    /// <summary>Removes this table row or array element, or what this field holds.</summary>
    public void Remove()
    {
        _session.Transaction.Remove(Path);
        _session.Shape++;
    }

    /// <summary>The path of this place.</summary>
    internal string Path => _path.Length == 0 ? "." : _path;

    internal EditSession Session => _session;

    /// <summary>A row or element; the key as a path writes it.</summary>
    internal Cursor Below(string key) => new(_session, $"{Path}[{key}]");

    internal void Set(JsonElement value)
    {
        _session.Transaction.Set(Path, value);
        _session.Shape++;
    }

    /// <summary>Assigns a register or switches a flag: no array gets longer or shorter by that.</summary>
    internal void SetLeaf(JsonElement value) => _session.Transaction.Set(Path, value);

    internal void Insert(int index, JsonElement value)
    {
        _session.Transaction.Insert(Path, index, value);
        _session.Shape++;
    }
}
