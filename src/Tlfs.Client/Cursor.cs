using System.Globalization;
using System.Text.Json;
using Tlfs.Core.Crdt;

namespace Tlfs.Client;

/// <summary>
/// A place in a document during an edit, for apps: <c>d["tasks"][0]["title"].Set("milk")</c>. Values are whatever <see cref="JsonSerializer"/> writes; the
/// schema decides whether they fit.
/// </summary>
public sealed class Cursor
{
    private readonly Transaction _transaction;
    private readonly string _path;

    internal Cursor(Transaction transaction, string path)
    {
        _transaction = transaction;
        _path = path;
    }

    /// <summary>A field of a struct. A name that is no field's is refused when the place is used.</summary>
    public Cursor this[string field] => new(_transaction, $"{_path}.{field}");

    /// <summary>An element of an array, by its index, or a row of a table with numbers as keys.</summary>
    public Cursor this[long index] => Below(index.ToString(CultureInfo.InvariantCulture));

    /// <summary>A row of a table with texts as keys.</summary>
    public Cursor Row(string key) => Below(JsonSerializer.Serialize(key));

    /// <summary>Assigns a register (null unsets it), switches a flag, or replaces a struct, table or array.</summary>
    public void Set(object? value) => _transaction.Set(Path, JsonSerializer.SerializeToElement(value));

    /// <summary>Inserts an element into this array before the one at the index; the array's length appends.</summary>
    public void Insert(int index, object? value) => _transaction.Insert(Path, index, JsonSerializer.SerializeToElement(value));

    /// <summary>Moves an element of this array so that it stands at index <paramref name="to"/> afterwards.</summary>
    public void Move(int from, int to) => _transaction.Move(Path, from, to);

    /// <summary>Removes this table row or array element, or what this field holds.</summary>
    public void Remove() => _transaction.Remove(Path);

    private string Path => _path.Length == 0 ? "." : _path;

    private Cursor Below(string key) => new(_transaction, $"{(_path.Length == 0 ? "." : _path)}[{key}]");
}
