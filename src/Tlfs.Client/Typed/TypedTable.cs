namespace Tlfs.Client.Typed;

/// <summary>A table during an edit. Writing to a row or below it makes the row if there is none.</summary>
/// <typeparam name="TKey">A row's key.</typeparam>
/// <typeparam name="TValue">A row's value.</typeparam>
public abstract class TypedTableBase<TKey, TValue> : TypedPlace
    where TKey : notnull
{
    private readonly TableKey<TKey> _key;
    private readonly Shape<TValue> _row;
    private readonly Shape<IReadOnlyDictionary<TKey, TValue>> _whole;

    private protected TypedTableBase(Cursor at, TableKey<TKey> key, Shape<TValue> row)
        : base(at)
    {
        _key = key;
        _row = row;
        _whole = Shapes.Table(key, row);
    }

    /// <summary>The rows as they are now.</summary>
    public IReadOnlyDictionary<TKey, TValue> Read() => Get(At, _whole);

    /// <summary>Replaces all rows.</summary>
    public void Set(IReadOnlyDictionary<TKey, TValue> rows) => Put(At, _whole, rows);

    /// <summary>Replaces a row, or makes it.</summary>
    public void Set(TKey key, TValue value) => Put(Row(key), _row, value);

    /// <summary>True if there is such a row.</summary>
    public bool ContainsKey(TKey key) => At.Session.Read(Row(key).Path, allValues: false) is not null;

    /// <summary>Removes a row. <c>not-present</c>.</summary>
    public void Remove(TKey key) => Row(key).Remove();

    /// <summary>Removes all rows.</summary>
    public void Clear() => Set(new Dictionary<TKey, TValue>());

    private protected Cursor Row(TKey key) => At.Below(_key.PathText(key));
}

/// <summary>A table of registers or flags during an edit.</summary>
/// <typeparam name="TKey">A row's key.</typeparam>
/// <typeparam name="TValue">A row's value.</typeparam>
/// <param name="at">The place.</param>
/// <param name="key">How keys are written.</param>
/// <param name="row">A row's shape.</param>
public sealed class TypedTable<TKey, TValue>(Cursor at, TableKey<TKey> key, Shape<TValue> row) : TypedTableBase<TKey, TValue>(at, key, row)
    where TKey : notnull
{
    private readonly Shape<TValue> _shape = row;

    /// <summary>The value of a row; of one that does not exist, the empty value.</summary>
    public TValue this[TKey key]
    {
        get => Get(Row(key), _shape);
        set => Put(Row(key), _shape, value);
    }
}

/// <summary>A table of structs, tables or arrays during an edit.</summary>
/// <typeparam name="TKey">A row's key.</typeparam>
/// <typeparam name="TValue">A row's value.</typeparam>
/// <typeparam name="TEdit">A row as a place.</typeparam>
/// <param name="at">The place.</param>
/// <param name="key">How keys are written.</param>
/// <param name="row">A row's shape.</param>
/// <param name="edit">Makes a row's place.</param>
public sealed class TypedTable<TKey, TValue, TEdit>(Cursor at, TableKey<TKey> key, Shape<TValue> row, Func<Cursor, TEdit> edit)
    : TypedTableBase<TKey, TValue>(at, key, row)
    where TKey : notnull
    where TEdit : TypedPlace
{
    /// <summary>A row, whether it exists or not.</summary>
    public TEdit this[TKey key] => edit(Row(key));
}
