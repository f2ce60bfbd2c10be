using System.Text.Json;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Lenses;
using Tlfs.Core.Paths;

namespace Tlfs.Core.Crdt;

/// <summary>
/// Builds the operations of one edit from paths and JSON (docs/protocol/operations.md §4.5). Later edits see earlier ones. An edit that is refused, with
/// a <see cref="TlfsException"/>, leaves the transaction as it was before it. The state shows the edits until <see cref="Dispose"/> takes them
/// back; between, nothing else may be applied to it.
/// </summary>
/// <example><code>
/// using var edit = new Transaction(state, list.View, SystemEntropy.Instance);
/// edit.Insert(".tasks", 0, Json.Parse("{\"title\":\"milk\"}"));
/// var operations = edit.Build();
/// </code></example>
public sealed class Transaction : IDisposable
{
    private readonly DocumentState _state;
    private readonly SchemaView _view;
    private readonly PendingOperations _pending;
    private readonly NewElements _newElements;

    /// <summary>Begins an edit.</summary>
    /// <param name="state">The state to edit; it is put back on <see cref="Dispose"/>.</param>
    /// <param name="view">The schema version that paths and values are given in.</param>
    /// <param name="entropy">Where the ids of new array elements come from.</param>
    public Transaction(DocumentState state, SchemaView view, IEntropy entropy)
    {
        _state = state;
        _view = view;
        _pending = new(state);
        _newElements = new(entropy);
    }

    /// <summary>The number of operations so far; the schema operation that sealing may add is not counted.</summary>
    public int Count => _pending.Count;

    /// <summary>
    /// Assigns a register (null: unsets it), switches a flag, or replaces all that this schema version shows of a struct, or a whole table or array.
    /// Table rows on the way that are missing are made.
    /// </summary>
    public void Set(string path, JsonElement value) => Edit(() =>
    {
        var at = Location.Resolve(_view, _state, path, present: false);
        MakeRows(at);
        Assign(at, value);
    });

    /// <summary>Inserts an element before the one at the index; the array's length appends.</summary>
    public void Insert(string path, int index, JsonElement value) => Edit(() =>
    {
        var at = ArrayAt(path, present: false);
        var count = Shown(at).Count;
        if (index < 0 || index > count) throw new TlfsException(Reason.IndexOutOfRange, $"{path} takes an element at 0 to {count}, not at {index}");
        MakeRows(at);
        InsertRun(at, index, [value]);
    });

    /// <summary>Moves an element so that it stands at index <paramref name="to"/> afterwards. Moving it where it is changes nothing.</summary>
    public void Move(string path, int from, int to) => Edit(() =>
    {
        var at = ArrayAt(path, present: true);
        var shown = Shown(at);
        RequireIndex(path, shown, from);
        RequireIndex(path, shown, to);
        if (from == to) return;
        var element = shown[from].Element;
        var room = Arrange(new AllButOne(shown, from), to, 1, path);
        PlaceAgain(at, room.Moved);
        PlaceAgain(at, [(element, room.Added[0])]);
    });

    /// <summary>Removes a table row, an array element, or what a field holds. What is not there is refused with <see cref="Reason.NotPresent"/>.</summary>
    public void Remove(string path) => Edit(() =>
    {
        var at = Location.Resolve(_view, _state, path);
        var before = _state.EntryCount;
        if (at.Node.IsRow) Drop(at.Path, withSelf: true);
        else Assign(at, null);
        if (_state.EntryCount == before) throw new TlfsException(Reason.NotPresent, $"{path} holds nothing");
    });

    /// <summary>Where a cursor points, edits so far included; null if this schema version does not show the place.</summary>
    public CursorPosition? Locate(DocumentCursor cursor) => cursor.Locate(_view, _state);

    /// <summary>The operations, in order. None at all is a <see cref="TlfsException"/> with <see cref="Reason.NothingToDo"/>.</summary>
    public IReadOnlyList<Operation> Build() => _pending.Count > 0 ? _pending.ToList() : throw new TlfsException(Reason.NothingToDo, "the edit changes nothing");

    /// <summary>Takes the edits out of the state again.</summary>
    public void Dispose() => _pending.RollBack();

    private void Edit(Action edit)
    {
        var mark = _pending.Mark;
        try
        {
            edit();
        }
        catch
        {
            _pending.RollBack(mark);
            throw;
        }
    }

    /// <summary>Writes the value, or nothing for null, in place of what this version shows at the place.</summary>
    private void Assign(Location at, JsonElement? value)
    {
        switch (at.Node.Kind.Code)
        {
            case KindCode.MVReg: AssignRegister(at, value); break;
            case KindCode.EWFlag: AssignFlag(at, value); break;
            case KindCode.Struct: AssignStruct(at, value); break;
            case KindCode.Table: AssignTable(at, value); break;
            case KindCode.Array: AssignArray(at, value); break;
            case KindCode.Null:
                if (value is { ValueKind: not JsonValueKind.Null } other) throw Mismatch(at, "nothing but null", other);
                if (value is not null) MakeRow(at.Node, at.Path);
                break;
        }
    }

    private void AssignRegister(Location at, JsonElement? value)
    {
        Value? assigned = value is { ValueKind: not JsonValueKind.Null } json ? Json.Read(json, at.Node.Kind.Primitive, at.Text) : null;
        DropAt(at.Path);
        if (assigned is { } present) _pending.Add(new Put(at.Path, present));
        else if (at.Node.IsRow) MakeRow(at.Node, at.Path);
    }

    private void AssignFlag(Location at, JsonElement? value)
    {
        if (value is { ValueKind: not (JsonValueKind.True or JsonValueKind.False) } other) throw Mismatch(at, "a boolean", other);
        DropAt(at.Path);
        if (value is { ValueKind: JsonValueKind.True }) _pending.Add(new Put(at.Path, Value.True));
        else if (at.Node.IsRow) MakeRow(at.Node, at.Path);
    }

    private void AssignStruct(Location at, JsonElement? value)
    {
        if (value is { ValueKind: not JsonValueKind.Object } other) throw Mismatch(at, "an object", other);
        var members = value is { } json ? Json.Members(json, at.Text) : [];
        if (members.Keys.FirstOrDefault(name => !at.Node.Fields.ContainsKey(name)) is { } unknown)
            throw new TlfsException(Reason.PathNotFound, $"the schema has no member {Shorten(unknown)} in {at.Text}{at.Suggestion(unknown)}");
        if (at.Node.IsRow) MakeRow(at.Node, at.Path);
        foreach (var name in at.Node.Fields.Keys)
            Assign(at.Field(name), members.TryGetValue(name, out var member) ? member : null);
    }

    private void AssignTable(Location at, JsonElement? value)
    {
        if (value is { ValueKind: not JsonValueKind.Object } other) throw Mismatch(at, "an object", other);
        var members = value is { } json ? Json.Members(json, at.Text) : [];
        Drop(at.Path, withSelf: false);
        if (at.Node.IsRow) MakeRow(at.Node, at.Path);
        foreach (var (key, row) in members) Assign(at.Member(key), row);
    }

    private void AssignArray(Location at, JsonElement? value)
    {
        if (value is { ValueKind: not JsonValueKind.Array } other) throw Mismatch(at, "an array", other);
        Drop(at.Path, withSelf: false);
        if (at.Node.IsRow) MakeRow(at.Node, at.Path);
        if (value is { } json) InsertRun(at, 0, [.. json.EnumerateArray()]);
    }

    private void InsertRun(Location at, int index, IReadOnlyList<JsonElement> values)
    {
        if (values.Count == 0) return;
        var room = Arrange(Shown(at), index, values.Count, at.Text);
        PlaceAgain(at, room.Moved);
        for (var i = 0; i < values.Count; i++)
        {
            var uid = _newElements.Next(candidate => _state.Knows(at.Path, candidate));
            _pending.Add(new Place(at.Path, uid, room.Added[i]));
            Assign(at.Row(Segment.Of(uid), (index + i).ToString(System.Globalization.CultureInfo.InvariantCulture)), values[i]);
        }
    }

    private static Arrangement Arrange(IReadOnlyList<ShownElement> shown, int index, int count, string path) =>
        Arrangement.Find(shown, index, count) ?? throw new TlfsException(Reason.ArrayDense,
            $"{path} has no room at [{index}]: too many elements were inserted at this spot; insert elsewhere, or set the array anew");

    private void PlaceAgain(Location at, IReadOnlyList<(Uid Element, Position Position)> moved)
    {
        foreach (var (element, position) in moved)
        {
            _pending.Remove(at.Path, _state.LivePlaces(at.Path, element));
            _pending.Add(new Place(at.Path, element, position));
        }
    }

    /// <summary>Makes the rows above a place that do not exist. Elements exist, since an index found them.</summary>
    private void MakeRows(Location at)
    {
        foreach (var (node, path) in at.Rows())
            if (!path.Equals(at.Path) && !_state.Exists(path)) MakeRow(node, path);
    }

    /// <summary>Puts null at a row or element, unless one is live there already.</summary>
    private void MakeRow(ViewNode node, StoragePath path)
    {
        if (!node.IsRow) return;
        if (_state.ValuesAt(path.Bytes).Contains(Value.Null)) return;
        _pending.Add(new Put(path, Value.Null));
    }

    /// <summary>Takes away the live puts at a place.</summary>
    private void DropAt(StoragePath path) => _pending.Remove(path, _state.PutsAt(path.Bytes).Select(put => put.Dot));

    /// <summary>Takes away the live puts under a place, and at it or not, and with them the pending places, which nobody else knows.</summary>
    private void Drop(StoragePath path, bool withSelf)
    {
        List<LocalDot> places = _pending.Count > 0 ? [.. _state.PlacesUnder(path)] : [];
        if (withSelf && path.Segments is [.., { Kind: SegmentKind.Element } element])
            places.AddRange(_state.LivePlaces(path.Parent, element.Element));
        _pending.Remove(path, _state.PutsUnder(path, withSelf));
        _pending.DropPending(places);
    }

    private Location ArrayAt(string path, bool present)
    {
        var at = Location.Resolve(_view, _state, path, present);
        return at.Node.Kind.Code == KindCode.Array ? at : throw new TlfsException(Reason.TypeMismatch, $"{path} is of type {at.Node.Kind} and not an Array");
    }

    private ElementList Shown(Location at) => _state.Shown(at.Path);

    private static void RequireIndex(string path, ElementList shown, int index)
    {
        if (index < 0 || index >= shown.Count) throw new TlfsException(Reason.IndexOutOfRange, $"{path} has {shown.Count} elements and none at {index}");
    }

    private static TlfsException Mismatch(Location at, string wanted, JsonElement found) =>
        new(Reason.TypeMismatch, $"{at.Text} takes {wanted}, not {Json.Describe(found)}");

    private static string Shorten(string name) => name.Length <= Limits.NameBytes && Names.IsValid(name) ? name : "of that name";
}
