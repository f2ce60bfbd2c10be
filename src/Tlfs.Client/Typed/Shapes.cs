using System.Text.Json;

namespace Tlfs.Client.Typed;

/// <summary>The shapes of all kinds of a schema, for generated code.</summary>
public static class Shapes
{
    /// <summary>An <c>EWFlag</c>.</summary>
    public static Shape<bool> Flag { get; } = new FlagShape();

    /// <summary>An <c>MVReg&lt;bool&gt;</c>.</summary>
    public static Shape<bool?> Bool { get; } = new ValueRegisterShape<bool>(Primitives.Bool);

    /// <summary>An <c>MVReg&lt;u64&gt;</c>.</summary>
    public static Shape<ulong?> U64 { get; } = new ValueRegisterShape<ulong>(Primitives.U64);

    /// <summary>An <c>MVReg&lt;i64&gt;</c>.</summary>
    public static Shape<long?> I64 { get; } = new ValueRegisterShape<long>(Primitives.I64);

    /// <summary>An <c>MVReg&lt;f64&gt;</c>.</summary>
    public static Shape<double?> F64 { get; } = new ValueRegisterShape<double>(Primitives.F64);

    /// <summary>An <c>MVReg&lt;String&gt;</c>.</summary>
    public static Shape<string?> String { get; } = new ReferenceRegisterShape<string>(Primitives.String);

    /// <summary>An <c>MVReg&lt;Bytes&gt;</c>.</summary>
    public static Shape<Bytes?> Bytes { get; } = new ValueRegisterShape<Bytes>(Primitives.Bytes);

    /// <summary>All values of an <c>MVReg&lt;bool&gt;</c>; the last one is the one shown. To be read only.</summary>
    public static Shape<IReadOnlyList<bool>> BoolValues { get; } = new ValuesShape<bool>(Primitives.Bool);

    /// <summary>All values of an <c>MVReg&lt;u64&gt;</c>; the last one is the one shown. To be read only.</summary>
    public static Shape<IReadOnlyList<ulong>> U64Values { get; } = new ValuesShape<ulong>(Primitives.U64);

    /// <summary>All values of an <c>MVReg&lt;i64&gt;</c>; the last one is the one shown. To be read only.</summary>
    public static Shape<IReadOnlyList<long>> I64Values { get; } = new ValuesShape<long>(Primitives.I64);

    /// <summary>All values of an <c>MVReg&lt;f64&gt;</c>; the last one is the one shown. To be read only.</summary>
    public static Shape<IReadOnlyList<double>> F64Values { get; } = new ValuesShape<double>(Primitives.F64);

    /// <summary>All values of an <c>MVReg&lt;String&gt;</c>; the last one is the one shown. To be read only.</summary>
    public static Shape<IReadOnlyList<string>> StringValues { get; } = new ValuesShape<string>(Primitives.String);

    /// <summary>All values of an <c>MVReg&lt;Bytes&gt;</c>; the last one is the one shown. To be read only.</summary>
    public static Shape<IReadOnlyList<Bytes>> BytesValues { get; } = new ValuesShape<Bytes>(Primitives.Bytes);

    /// <summary>A place without a type.</summary>
    public static Shape<Nothing> Nothing { get; } = new NothingShape();

    /// <summary>An <c>Array</c>.</summary>
    public static Shape<IReadOnlyList<T>> Array<T>(Shape<T> element) => new ArrayShape<T>(element);

    /// <summary>A <c>Table</c>; the dictionary has its rows in storage order.</summary>
    public static Shape<IReadOnlyDictionary<TKey, TValue>> Table<TKey, TValue>(TableKey<TKey> key, Shape<TValue> row)
        where TKey : notnull => new TableShape<TKey, TValue>(key, row);

    /// <summary>A <c>Struct</c>.</summary>
    /// <param name="empty">The value whose fields are all empty.</param>
    /// <param name="read">Reads the fields.</param>
    /// <param name="write">Writes the fields; the object is begun and ended around it.</param>
    public static Shape<T> Struct<T>(T empty, Func<JsonElement, T> read, Action<Utf8JsonWriter, T> write) => new StructShape<T>(empty, read, write);

    /// <summary>Reads a field of a struct.</summary>
    public static T ReadField<T>(this JsonElement json, string name, Shape<T> shape) =>
        json.TryGetProperty(name, out var field) ? shape.Read(field) : shape.Empty;

    /// <summary>Writes a field of a struct.</summary>
    public static void WriteField<T>(this Utf8JsonWriter json, string name, Shape<T> shape, T value)
    {
        json.WritePropertyName(name);
        shape.Write(json, value);
    }
}
