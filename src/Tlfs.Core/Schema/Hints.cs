using Tlfs.Core.Lenses;

namespace Tlfs.Core.Schema;

/// <summary>What to write instead of what people who come from other languages write.</summary>
internal static class Hints
{
    /// <summary>The types of the language.</summary>
    public const string AllTypes = "types are Struct, Array, Table<…>, MVReg<…> and EWFlag";

    /// <summary>The primitives of the language.</summary>
    public const string AllPrimitives = "primitives are bool, u64, i64, f64, String and Bytes";

    private static readonly string[] Types = ["Struct", "Array", "EWFlag", "MVReg", "Table"];

    private static readonly string[] PrimitiveNames = [.. Enum.GetValues<Primitive>().Select(primitive => primitive.ToText())];

    /// <summary>Names of primitives in other languages, in lower case.</summary>
    private static readonly Dictionary<string, string> PrimitiveSynonyms = new(StringComparer.Ordinal)
    {
        ["string"] = "String",
        ["text"] = "String",
        ["str"] = "String",
        ["char"] = "String",
        ["guid"] = "String",
        ["date"] = "String",
        ["datetime"] = "i64",
        ["int"] = "i64",
        ["integer"] = "i64",
        ["long"] = "i64",
        ["number"] = "f64",
        ["i8"] = "i64",
        ["i16"] = "i64",
        ["i32"] = "i64",
        ["i128"] = "i64",
        ["uint"] = "u64",
        ["ulong"] = "u64",
        ["u8"] = "u64",
        ["u16"] = "u64",
        ["u32"] = "u64",
        ["u128"] = "u64",
        ["byte"] = "u64",
        ["float"] = "f64",
        ["double"] = "f64",
        ["real"] = "f64",
        ["decimal"] = "f64",
        ["f32"] = "f64",
        ["boolean"] = "bool",
        ["bytes"] = "Bytes",
        ["blob"] = "Bytes",
        ["binary"] = "Bytes",
        ["bool"] = "bool",
        ["u64"] = "u64",
        ["i64"] = "i64",
        ["f64"] = "f64",
    };

    /// <summary>Names of kinds in other languages, in lower case.</summary>
    private static readonly Dictionary<string, string> KindSynonyms = new(StringComparer.Ordinal)
    {
        ["list"] = "Array",
        ["vec"] = "Array",
        ["vector"] = "Array",
        ["sequence"] = "Array",
        ["map"] = "Table<String>",
        ["dict"] = "Table<String>",
        ["dictionary"] = "Table<String>",
        ["set"] = "Table<String>",
        ["object"] = "Struct",
        ["record"] = "Struct",
        ["class"] = "Struct",
        ["flag"] = "EWFlag",
        ["register"] = "MVReg<String>",
        ["reg"] = "MVReg<String>",
    };

    /// <summary>For a name that is no type.</summary>
    public static string ForType(string name)
    {
        var lower = name.ToLowerInvariant();
        if (name is "Text" or "Counter") return $"{name} is kept for a later version of the language; use MVReg<{(name is "Text" ? "String" : "i64")}>";
        if (PrimitiveSynonyms.TryGetValue(lower, out var primitive)) return $"a value is kept in a register: MVReg<{primitive}>";
        if (KindSynonyms.TryGetValue(lower, out var kind)) return $"write {kind}";
        return Suggestions.DidYouMean(name, Types) ?? AllTypes;
    }

    /// <summary>For a name that is no primitive.</summary>
    public static string ForPrimitive(string name)
    {
        if (Types.Contains(name, StringComparer.Ordinal)) return $"between < and > stands a primitive; {AllPrimitives}";
        if (PrimitiveSynonyms.TryGetValue(name.ToLowerInvariant(), out var primitive)) return $"did you mean '{primitive}'?";
        return Suggestions.DidYouMean(name, PrimitiveNames) ?? AllPrimitives;
    }

    /// <summary>For a type that takes no parameter and was given one.</summary>
    public static string ForParameter(Kind kind) =>
        kind == Kind.Array ? "write Array, and give its elements a type in a rule of their own: .path.[]: MVReg<String>" : $"write {kind}";

    /// <summary>For text that stands where a version is expected and is none.</summary>
    public static string ForVersion(Token token, string schema) => token switch
    {
        { Kind: TokenKind.Mark, Text: "." } => "rules stand in a version: 0.1.0 { .: Struct }",
        { Kind: TokenKind.Name, Text: ['v' or 'V', >= '0' and <= '9', ..] } => "a version is three numbers without a letter, such as 1.0.0",
        { Kind: TokenKind.Name } => $"a version is three numbers, such as 0.1.0; if {token.Quoted} is another schema, close '{schema}' with '}}' first",
        { Kind: TokenKind.Number } when SchemaVersion.TryParse(token.Text + ".0", out var longer) => $"write {longer}",
        { Kind: TokenKind.Number } when SchemaVersion.TryParse(token.Text + ".0.0", out var longest) => $"write {longest}",
        { Kind: TokenKind.Number } when Numbers(token.Text).Any(number => number is ['0', >= '0' and <= '9', ..]) => "a version has no leading zeros",
        { Kind: TokenKind.Number } when Numbers(token.Text) is { Length: 3 } three && Array.TrueForAll(three, number => number.All(char.IsAsciiDigit)) =>
            "each number of a version is at most 4294967295",
        _ => "a version is three numbers, such as 0.1.0",
    };

    /// <summary>For text that stands where a rule is expected and is none.</summary>
    public static string ForRule(Token token, SchemaVersion version) => token.Kind switch
    {
        TokenKind.Name when Names.IsValid(token.Text) => $"a path begins with a dot: .{token.Text}",
        TokenKind.Number when SchemaVersion.TryParse(token.Text, out _) => $"close version {version} with '}}' first",
        _ => "a rule begins with a path, such as .title: MVReg<String>",
    };

    /// <summary>For text that stands after a path, where a colon is expected.</summary>
    public static string ForColon(Token token) => token switch
    {
        { Kind: TokenKind.Mark, Text: "[" } => "every segment has a dot before it: .path.[]",
        { Kind: TokenKind.Mark, Text: "{" } => "every segment has a dot before it: .path.{}",
        { Kind: TokenKind.Mark, Text: "(" } => "a call is a segment of its own: .path.remove()",
        { Kind: TokenKind.Name } when Types.Contains(token.Text, StringComparer.Ordinal) => $"write ': {token.Text}'",
        _ => "after the path comes a type, or a call such as .remove()",
    };

    /// <summary>For text that stands where a segment of a path is expected and is none.</summary>
    public static string ForSegment(Token token) => token.Kind == TokenKind.Number
        ? "a name begins with a letter or _; the elements of an array are written [] and the values of a table {}"
        : "a segment is a field's name, {} for the values of a table, [] for the elements of an array, or a call";

    /// <summary>For a character that no source has.</summary>
    public static string ForCharacter(char letter) => letter switch
    {
        ',' => "rules are separated by blanks, and a Table names the type of its keys only: Table<String>",
        ';' => "rules are separated by blanks",
        '=' => "write ':' between a path and its type",
        '?' or '!' => "every value may be unset, so types have no mark for it",
        '"' or '\'' or '`' => "names and types stand without quotes",
        '#' => "a comment is written /* like this */",
        '-' or '$' or '@' => NameLetters,
        _ when char.IsLetter(letter) || char.IsSurrogate(letter) => NameLetters,
        _ => "a source is made of names, versions, and the marks . : { } [ ] ( ) < >",
    };

    private const string NameLetters = "names are made of the letters A to Z and a to z, digits and _";

    private static string[] Numbers(string version) => version.Split('.');
}
