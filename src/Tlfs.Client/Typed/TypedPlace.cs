using System.Buffers;
using System.Text.Json;
using Tlfs.Core;

namespace Tlfs.Client.Typed;

/// <summary>
/// A place in a document during an edit, with the types of its schema. It belongs to the edit and is of no use after it. What is read here are the
/// values that the edit has made so far.
/// </summary>
public abstract class TypedPlace
{
    private protected TypedPlace(Cursor at) => At = at;

    /// <summary>
    /// Removes this row or element; what a field holds is emptied. <c>not-present</c> for what is not there.
    /// </summary>
    public void Remove() => At.Remove();

    /// <summary>The place without types.</summary>
    protected internal Cursor At { get; }

    /// <summary>Reads a place; one in a row that does not exist holds nothing yet.</summary>
    protected static T Get<T>(Cursor at, Shape<T> shape) => at.Session.Read(at.Path, allValues: true) is { } json ? shape.Read(json) : shape.Empty;

    /// <summary>Writes a place. Rows on the way that are missing are made.</summary>
    protected static void Put<T>(Cursor at, Shape<T> shape, T value)
    {
        var json = Json(at.Path, shape, value);
        if (shape.IsLeaf) at.SetLeaf(json);
        else at.Set(json);
    }

    /// <summary>A value as JSON; one that JSON cannot hold is a <c>type-mismatch</c>.</summary>
    private protected static JsonElement Json<T>(string path, Shape<T> shape, T value)
    {
        try
        {
            return Json(json => shape.Write(json, value));
        }
        catch (ArgumentException e)
        {
            throw new TlfsException(Reason.TypeMismatch, $"{path} takes finite numbers, and the value given has another", e);
        }
    }

    internal static JsonElement Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer)) write(writer);
        return JsonElement.Parse(buffer.WrittenSpan);
    }
}

/// <summary>A struct during an edit; generated classes add its fields.</summary>
/// <typeparam name="T">Its values.</typeparam>
public abstract class TypedStruct<T> : TypedPlace
{
    private readonly Shape<T> _shape;

    /// <summary>The struct at a place.</summary>
    protected TypedStruct(Cursor at, Shape<T> shape)
        : base(at) => _shape = shape;

    /// <summary>All fields as they are now.</summary>
    public T Read() => Get(At, _shape);

    /// <summary>Replaces all fields.</summary>
    public void Set(T value) => Put(At, _shape, value);
}

/// <summary>A register or flag that is a whole document.</summary>
/// <typeparam name="T">Its value.</typeparam>
/// <param name="at">The place.</param>
/// <param name="shape">Its shape.</param>
public sealed class TypedValue<T>(Cursor at, Shape<T> shape) : TypedPlace(at)
{
    /// <summary>The value; assigning null unsets a register.</summary>
    public T Value
    {
        get => Get(At, shape);
        set => Put(At, shape, value);
    }
}
