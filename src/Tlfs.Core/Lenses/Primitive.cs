namespace Tlfs.Core.Lenses;

/// <summary>What a register holds or a table is keyed by; the value is the code on the wire (docs/protocol/operations.md §1).</summary>
public enum Primitive : byte
{
    /// <summary>true or false.</summary>
    Bool = 0,
    /// <summary>An unsigned 64-bit integer.</summary>
    U64 = 1,
    /// <summary>A signed 64-bit integer.</summary>
    I64 = 2,
    /// <summary>A finite 64-bit floating point number; never a table key.</summary>
    F64 = 3,
    /// <summary>Unicode text without lone surrogates.</summary>
    String = 4,
    /// <summary>A byte string; base64 in JSON.</summary>
    Bytes = 5,
}

/// <summary>The names of primitives in <c>.tlfs</c> sources and messages.</summary>
public static class PrimitiveText
{
    /// <summary>The name in a <c>.tlfs</c> source: <c>bool u64 i64 f64 String Bytes</c>.</summary>
    public static string ToText(this Primitive primitive) => primitive switch
    {
        Primitive.Bool => "bool",
        Primitive.U64 => "u64",
        Primitive.I64 => "i64",
        Primitive.F64 => "f64",
        Primitive.String => "String",
        Primitive.Bytes => "Bytes",
    };
}
