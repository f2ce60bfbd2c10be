namespace Tlfs.Client.Typed;

/// <summary>An array during an edit. Indexes count the elements as they are now; elements that others insert at the same time come between.</summary>
/// <typeparam name="T">An element's value.</typeparam>
public abstract class TypedArrayBase<T> : TypedPlace
{
    private readonly Shape<T> _shape;
    private readonly Shape<IReadOnlyList<T>> _whole;
    private (int Count, int Shape)? _counted;

    private protected TypedArrayBase(Cursor at, Shape<T> shape)
        : base(at)
    {
        _shape = shape;
        _whole = Shapes.Array(shape);
    }

    /// <summary>How many elements there are. Asking takes time in proportion to their number, unless nothing but this array was changed since the last time.</summary>
    public int Count
    {
        get
        {
            if (_counted is { } known && known.Shape == At.Session.Shape) return known.Count;
            var count = At.Session.Read(At.Path, allValues: false)?.GetArrayLength() ?? 0;
            _counted = (count, At.Session.Shape);
            return count;
        }
    }

    /// <summary>The elements as they are now.</summary>
    public IReadOnlyList<T> Read() => Get(At, _whole);

    /// <summary>Replaces all elements.</summary>
    public void Set(IReadOnlyList<T> items) => Put(At, _whole, items);

    /// <summary>Inserts an element before the one at the index; the array's length appends. <c>index-out-of-range</c>.</summary>
    public void Insert(int index, T item) => Change(1, () => At.Insert(index, Json(At.Path, _shape, item)));

    /// <summary>Appends an element.</summary>
    public void Add(T item) => Insert(Count, item);

    /// <summary>Moves an element so that it stands at index <paramref name="to"/> afterwards. <c>index-out-of-range</c>.</summary>
    public void Move(int from, int to) => At.Move(from, to);

    /// <summary>Removes the element at the index. <c>index-out-of-range</c>.</summary>
    public void RemoveAt(int index) => Change(-1, () => At[index].Remove());

    /// <summary>Removes all elements.</summary>
    public void Clear() => Set([]);

    // What this array does to itself does not make it count again.
    private void Change(int by, Action change)
    {
        int? before = _counted is { } known && known.Shape == At.Session.Shape ? known.Count : null;
        change();
        if (before is { } count) _counted = (count + by, At.Session.Shape);
    }
}

/// <summary>An array of registers or flags during an edit.</summary>
/// <typeparam name="T">An element's value.</typeparam>
/// <param name="at">The place.</param>
/// <param name="shape">An element's shape.</param>
public sealed class TypedArray<T>(Cursor at, Shape<T> shape) : TypedArrayBase<T>(at, shape)
{
    private readonly Shape<T> _element = shape;

    /// <summary>The value of an element. <c>index-out-of-range</c>.</summary>
    public T this[int index]
    {
        get => Get(At[index], _element);
        set => Put(At[index], _element, value);
    }
}

/// <summary>An array of structs, tables or arrays during an edit.</summary>
/// <typeparam name="T">An element's value.</typeparam>
/// <typeparam name="TEdit">An element as a place.</typeparam>
/// <param name="at">The place.</param>
/// <param name="shape">An element's shape.</param>
/// <param name="edit">Makes an element's place.</param>
public sealed class TypedArray<T, TEdit>(Cursor at, Shape<T> shape, Func<Cursor, TEdit> edit) : TypedArrayBase<T>(at, shape)
    where TEdit : TypedPlace
{
    /// <summary>An element. <c>index-out-of-range</c> when it is used.</summary>
    public TEdit this[int index] => edit(At[index]);
}
