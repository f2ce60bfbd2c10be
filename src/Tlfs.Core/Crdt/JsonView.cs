using System.Globalization;
using Tlfs.Core.Lenses;
using Tlfs.Core.Paths;

namespace Tlfs.Core.Crdt;

/// <summary>
/// A document as JSON, in the one form that all replicas with equal states print (docs/protocol/operations.md §5): compact, members of structs in
/// ordinal order, rows in storage order, elements by position.
/// </summary>
public sealed class JsonView
{
    private readonly JsonText _json = new();
    private readonly DocumentState _state;
    private readonly bool _allValues;
    private readonly IReadOnlyList<StoragePath>? _readable;
    private readonly byte[] _path = new byte[Limits.PathBytes + (9 * Limits.PathSegments)];
    private int _length;

    private JsonView(DocumentState state, bool allValues, IReadOnlyList<StoragePath>? readable)
    {
        _state = state;
        _allValues = allValues;
        _readable = readable;
    }

    private ReadOnlySpan<byte> Here => _path.AsSpan(0, _length);

    /// <summary>The JSON text of the document or of what a path names. A row or element that does not exist is refused with <see cref="Reason.NotPresent"/>.</summary>
    /// <param name="view">The schema version to show.</param>
    /// <param name="state">The document.</param>
    /// <param name="path">A path as for <see cref="Location.Resolve"/>.</param>
    /// <param name="allValues">Shows each register as an array of all its live values in the order of their dots.</param>
    /// <param name="readable">Members that neither lie in these places nor lead to one are left out; null shows all.</param>
    public static string Text(SchemaView view, DocumentState state, string path = ".", bool allValues = false, IReadOnlyList<StoragePath>? readable = null) =>
        Of(state, Location.Resolve(view, state, path), allValues, readable);

    /// <summary>The JSON text of a place.</summary>
    internal static string Of(DocumentState state, Location at, bool allValues = false, IReadOnlyList<StoragePath>? readable = null)
    {
        var text = new JsonView(state, allValues, readable);
        text.Go(0, at.Path.Bytes);
        text.Write(at.Node, RowAbove(at).Bytes.Length);
        return text._json.ToString();
    }

    /// <summary>All live values of the register that a path names, by dot; the last one is what <see cref="Text"/> shows.</summary>
    public static IReadOnlyList<LivePut> Values(SchemaView view, DocumentState state, string path)
    {
        var at = Location.Resolve(view, state, path);
        if (at.Node.Kind.Code != KindCode.MVReg) throw new TlfsException(Reason.TypeMismatch, $"{path} is of type {at.Node.Kind} and not a register");
        return [.. state.Puts(at.Path).Where(put => put.Value.Fits(at.Node.Kind.Primitive))];
    }

    private static StoragePath RowAbove(Location at) => at.Rows().Select(row => row.Path).LastOrDefault() ?? StoragePath.Root;

    /// <summary>Writes the place of the path; its first <paramref name="row"/> bytes are the row, element or root that it lies in, from which its fields are found.</summary>
    private void Write(ViewNode view, int row)
    {
        switch (view.Kind.Code)
        {
            case KindCode.Null: _json.Null(); break;
            case KindCode.Struct: WriteStruct(view, row); break;
            case KindCode.Table: WriteTable(view); break;
            case KindCode.Array: WriteArray(view); break;
            case KindCode.MVReg: WriteRegister(view.Kind.Primitive); break;
            case KindCode.EWFlag: _json.Bool(_state.ValuesAt(Here).Contains(Value.True)); break;
        }
    }

    private void WriteStruct(ViewNode view, int row)
    {
        _json.BeginObject();
        foreach (var (name, field) in view.Fields)
        {
            _length = row;
            foreach (var id in field.Chain) Go(_length, Segment.Of(id));
            if (!IsReadable()) continue;
            _json.Name(name);
            Write(field, row);
        }

        _json.EndObject();
    }

    private bool IsReadable()
    {
        if (_readable is null) return true;
        foreach (var place in _readable)
            if (Here.StartsWith(place.Bytes) || place.Bytes.StartsWith(Here)) return true;
        return false;
    }

    private void WriteTable(ViewNode view)
    {
        var table = _length;
        _json.BeginObject();
        foreach (var key in _state.KeysAt(Here.ToArray()))
        {
            if (!SchemaView.KeyFits(view.Kind, key)) continue;
            _json.Name(KeyText(key));
            Go(table, key);
            Write(view.Element!, _length);
        }

        _json.EndObject();
    }

    private void WriteArray(ViewNode view)
    {
        var array = _length;
        _json.BeginArray();
        foreach (var element in _state.Shown(Here))
        {
            Go(array, Segment.Of(element.Element));
            Write(view.Element!, _length);
        }

        _json.EndArray();
    }

    private void WriteRegister(Primitive primitive)
    {
        var values = _state.ValuesAt(Here).Where(value => value.Fits(primitive));
        if (_allValues)
        {
            _json.BeginArray();
            foreach (var value in values) _json.Value(value);
            _json.EndArray();
        }
        else
        {
            _json.Value(values.LastOrDefault());
        }
    }

    private void Go(int from, Segment segment) => _length = from + segment.Write(_path.AsSpan(from));

    private void Go(int from, ReadOnlySpan<byte> path)
    {
        path.CopyTo(_path.AsSpan(from));
        _length = from + path.Length;
    }

    /// <summary>A table's key as the name of a member.</summary>
    internal static string KeyText(Segment key) => key.Key switch
    {
        bool boolean => boolean ? "true" : "false",
        ulong number => number.ToString(CultureInfo.InvariantCulture),
        long number => number.ToString(CultureInfo.InvariantCulture),
        string text => text,
        byte[] bytes => Convert.ToBase64String(bytes),
        _ => throw new InvalidOperationException("not a key"),
    };
}
