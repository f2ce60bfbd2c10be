using System.Text.Json;
using Tlfs.Core.Crdt;

namespace Tlfs.Client.Typed;

/// <summary>How one value of a primitive is read and written.</summary>
/// <param name="Read">Reads it.</param>
/// <param name="Write">Writes it.</param>
internal sealed record PrimitiveShape<T>(Func<JsonElement, T> Read, Action<Utf8JsonWriter, T> Write)
    where T : notnull;

/// <summary>The primitives (docs/protocol/operations.md §5).</summary>
internal static class Primitives
{
    public static PrimitiveShape<bool> Bool { get; } = new(json => json.GetBoolean(), (json, value) => json.WriteBooleanValue(value));

    public static PrimitiveShape<ulong> U64 { get; } = new(json => json.GetUInt64(), (json, value) => json.WriteNumberValue(value));

    public static PrimitiveShape<long> I64 { get; } = new(json => json.GetInt64(), (json, value) => json.WriteNumberValue(value));

    public static PrimitiveShape<double> F64 { get; } = new(json => json.GetDouble(), (json, value) => json.WriteNumberValue(value));

    public static PrimitiveShape<string> String { get; } = new(json => json.GetString()!, (json, value) => json.WriteStringValue(Unicode(value)));

    public static PrimitiveShape<Bytes> Bytes { get; } = new(json => json.GetBytesFromBase64(), (json, value) => json.WriteBase64StringValue(value.Span));

    /// <summary>The values of a register: an array of them, or the one that it shows. No primitive is an array in JSON.</summary>
    public static IEnumerable<JsonElement> All(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Array => json.EnumerateArray(),
        JsonValueKind.Null => [],
        _ => [json],
    };

    /// <summary>The value that a register shows; null while it is unset.</summary>
    public static JsonElement? Shown(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Array) return json.ValueKind == JsonValueKind.Null ? null : json;
        return json.GetArrayLength() is > 0 and var count ? json[count - 1] : null;
    }

    /// <summary>The text, which the JSON writer would change if it had a lone surrogate: that is a <c>type-mismatch</c>.</summary>
    public static string Unicode(string text) => Value.Of(text).AsString;
}

/// <summary>A register whose values are of a value type.</summary>
internal sealed class ValueRegisterShape<T>(PrimitiveShape<T> primitive) : Shape<T?>
    where T : struct
{
    public override T? Empty => null;

    public override bool IsLeaf => true;

    public override T? Read(JsonElement json) => Primitives.Shown(json) is { } shown ? primitive.Read(shown) : null;

    public override void Write(Utf8JsonWriter json, T? value)
    {
        if (value is { } present) primitive.Write(json, present);
        else json.WriteNullValue();
    }
}

/// <summary>A register whose values are of a reference type.</summary>
internal sealed class ReferenceRegisterShape<T>(PrimitiveShape<T> primitive) : Shape<T?>
    where T : class
{
    public override T? Empty => null;

    public override bool IsLeaf => true;

    public override T? Read(JsonElement json) => Primitives.Shown(json) is { } shown ? primitive.Read(shown) : null;

    public override void Write(Utf8JsonWriter json, T? value)
    {
        if (value is { } present) primitive.Write(json, present);
        else json.WriteNullValue();
    }
}

/// <summary>All values of a register.</summary>
internal sealed class ValuesShape<T>(PrimitiveShape<T> primitive) : Shape<IReadOnlyList<T>>
    where T : notnull
{
    public override IReadOnlyList<T> Empty => [];

    public override bool IsLeaf => true;

    public override IReadOnlyList<T> Read(JsonElement json) => [.. Primitives.All(json).Select(primitive.Read)];

    public override void Write(Utf8JsonWriter json, IReadOnlyList<T> value) => throw new NotSupportedException("a register is assigned one value");
}

/// <summary>A flag.</summary>
internal sealed class FlagShape : Shape<bool>
{
    public override bool Empty => false;

    public override bool IsLeaf => true;

    public override bool Read(JsonElement json) => json.GetBoolean();

    public override void Write(Utf8JsonWriter json, bool value) => json.WriteBooleanValue(value);
}

/// <summary>A place without a type.</summary>
internal sealed class NothingShape : Shape<Nothing>
{
    public override Nothing Empty => default;

    public override bool IsLeaf => true;

    public override Nothing Read(JsonElement json) => default;

    public override void Write(Utf8JsonWriter json, Nothing value) => json.WriteNullValue();
}
