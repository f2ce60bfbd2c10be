using System.Text.Json;
using Tlfs.Core.Lenses;

namespace Tlfs.Core.Crdt;

/// <summary>JSON that comes in: parsed strictly, and turned into values without loss (docs/protocol/operations.md §5).</summary>
public static class Json
{
    /// <summary>How deep objects and arrays may nest: as deep as a document can.</summary>
    private const int MaxDepth = Limits.PathSegments + 1;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = MaxDepth };

    /// <summary>
    /// Parses a JSON text. Duplicate members, comments, trailing commas and too deep nesting are a
    /// <see cref="TlfsException"/> with <see cref="Reason.BadArgument"/>.
    /// </summary>
    public static JsonElement Parse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, Strict);
            return document.RootElement.Clone();
        }
        catch (ArgumentException e)
        {
            throw new TlfsException(Reason.BadArgument, "the value is not JSON: it has a lone surrogate", e);
        }
        catch (JsonException e)
        {
            throw new TlfsException(Reason.BadArgument, $"the value is not JSON, line {(e.LineNumber ?? 0) + 1}, byte {(e.BytePositionInLine ?? 0) + 1}", e);
        }
    }

    /// <summary>Decodes standard base64 with padding, in the one form that encoding makes.</summary>
    internal static bool TryBase64(string text, out byte[] bytes)
    {
        bytes = new byte[text.Length];
        if (!Convert.TryFromBase64String(text, bytes, out var count)) return false;
        bytes = bytes[..count];
        return string.Equals(Convert.ToBase64String(bytes), text, StringComparison.Ordinal);
    }

    /// <summary>The value of a register from JSON; <paramref name="path"/> is for the message.</summary>
    internal static Value Read(JsonElement json, Primitive primitive, string path)
    {
        Value? value = primitive switch
        {
            Primitive.Bool => json.ValueKind is JsonValueKind.True or JsonValueKind.False ? Value.Of(json.GetBoolean()) : null,
            Primitive.U64 => IsInteger(json) && json.TryGetUInt64(out var unsigned) ? Value.Of(unsigned) : null,
            Primitive.I64 => IsInteger(json) && json.TryGetInt64(out var signed) ? Value.Of(signed) : null,
            Primitive.F64 => json.ValueKind == JsonValueKind.Number && json.TryGetDouble(out var real) && double.IsFinite(real) ? Value.Of(real) : null,
            Primitive.String => json.ValueKind == JsonValueKind.String ? Value.Of(Text(json, path)) : null,
            Primitive.Bytes => json.ValueKind == JsonValueKind.String && TryBase64(Text(json, path), out var bytes) ? Value.Of(bytes.AsSpan()) : null,
        };
        return value ?? throw new TlfsException(Reason.TypeMismatch, $"{path} takes {Wanted(primitive)}, not {Describe(json)}");
    }

    /// <summary>What a JSON value is, for a message that does not repeat it.</summary>
    internal static string Describe(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        JsonValueKind.Null or JsonValueKind.Undefined => "null",
    };

    /// <summary>The members of an object; a name that is not Unicode or stands twice is refused.</summary>
    internal static SortedDictionary<string, JsonElement> Members(JsonElement json, string path)
    {
        var members = new SortedDictionary<string, JsonElement>(StringComparer.Ordinal);
        try
        {
            foreach (var member in json.EnumerateObject())
                if (!members.TryAdd(member.Name, member.Value)) throw new TlfsException(Reason.TypeMismatch, $"{path} takes an object in which no member stands twice");
        }
        catch (InvalidOperationException e)
        {
            throw new TlfsException(Reason.TypeMismatch, $"{path} takes Unicode member names, and one has a lone surrogate", e);
        }

        return members;
    }

    /// <summary>The text of a JSON string; escapes that are not Unicode are refused.</summary>
    internal static string Text(JsonElement json, string path)
    {
        try
        {
            return json.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new TlfsException(Reason.TypeMismatch, $"{path} takes Unicode text, and the string has a lone surrogate", e);
        }
    }

    private static bool IsInteger(JsonElement json) => json.ValueKind == JsonValueKind.Number && Numbers.IsInteger(json.GetRawText());

    private static string Wanted(Primitive primitive) => primitive switch
    {
        Primitive.Bool => "a bool",
        Primitive.U64 => "a u64 (an integer from 0 to 18446744073709551615)",
        Primitive.I64 => "an i64 (an integer from -9223372036854775808 to 9223372036854775807)",
        Primitive.F64 => "an f64 (a finite number)",
        Primitive.String => "a String",
        Primitive.Bytes => "Bytes (a string in base64)",
    };
}
