using Tlfs.Core.Lenses;

namespace Tlfs.Core.Schema;

/// <summary>
/// A recursive-descent compiler: <c>file = schema*</c>, <c>schema = name { version* }</c>, <c>version = a.b.c { rule* }</c>, <c>rule = path : type</c> or
/// <c>path.call(name?)</c>. Nothing nests deeper than that, so no input makes it recurse. Each rule is applied to a view at once, so that an
/// error is found at its own line.
/// </summary>
internal sealed class Compiler
{
    /// <summary>Versions of one schema: each keeps a list of its own, so that a small file must not make many long ones.</summary>
    private const int MaxVersions = 256;

    private static readonly Dictionary<string, Primitive> Primitives =
        Enum.GetValues<Primitive>().ToDictionary(primitive => primitive.ToText(), StringComparer.Ordinal);

    private readonly Lexer _lexer;
    private Token _token;

    /// <summary>Where the token before ended: what is missing is missing there.</summary>
    private int _end;

    public Compiler(string source)
    {
        _lexer = new(source);
        _token = _lexer.Next();
    }

    public TlfsPackage Compile()
    {
        var schemas = new List<TlfsSchema>();
        while (_token.Kind != TokenKind.End)
        {
            var name = Name("a schema's name");
            if (schemas.Exists(other => string.Equals(other.Name, name.Text, StringComparison.Ordinal)))
                throw Error(name, $"there is a schema {name.Quoted} already", "put all versions of a schema between the same braces");
            schemas.Add(CompileSchema(name));
        }

        if (schemas.Count == 0) throw Error(_token, "the file holds no schema", "write: todoapp { 0.1.0 { .: Struct } }");
        return new(schemas);
    }

    private TlfsSchema CompileSchema(Token name)
    {
        var versions = new List<TlfsVersion>();
        var rules = new RuleCompiler(name.Text);
        Expect('{', "it opens the schema");
        while (!_token.Is('}'))
        {
            var version = Version(versions);
            CompileVersion(rules);
            versions.Add(new(version, rules.ToList()));
        }

        if (versions.Count == 0) throw Error(_token, "the schema has no version", "write: 0.1.0 { .: Struct }");
        Advance();
        return new(name.Text, versions);
    }

    private SchemaVersion Version(List<TlfsVersion> earlier)
    {
        var token = _token;
        if (token.Kind != TokenKind.Number || !SchemaVersion.TryParse(token.Text, out var version))
            throw Error(token, $"expected a version and not {token.Quoted}", "a version is three numbers, such as 0.1.0");
        if (earlier.Count > 0 && version.CompareTo(earlier[^1].Version) <= 0)
            throw Error(token, $"version {version} does not come after {earlier[^1].Version}", "versions ascend from the top down");
        if (earlier.Count == MaxVersions) throw Error(token, $"a schema has at most {MaxVersions} versions", null);
        Advance();
        return version;
    }

    private void CompileVersion(RuleCompiler rules)
    {
        Expect('{', "it opens the version");
        while (!_token.Is('}')) CompileRule(rules);
        Advance();
    }

    private void CompileRule(RuleCompiler rules)
    {
        var start = _token;
        var path = Path();
        if (path.Count > 0 && path[^1] is { Kind: StepKind.Call } call)
        {
            rules.Call(path[..^1], call);
            return;
        }

        Expect(':', "after the path comes a type, or a call such as .remove()");
        rules.Make(path, Type(), start);
    }

    /// <summary>A path: dots and segments without blanks between them. A lone dot is the root.</summary>
    private List<Step> Path()
    {
        if (!_token.Is('.')) throw Error(_token, $"expected a rule or '}}' and not {_token.Quoted}", "a rule begins with a path, such as .title: MVReg<String>");
        var steps = new List<Step>();
        var end = _token.Offset;
        while (_token.Is('.') && _token.Offset == end && (steps.Count == 0 || steps[^1].Kind != StepKind.Call))
        {
            var dot = _token;
            Advance();
            end = dot.End;
            if (steps.Count == 0 && (_token.Offset != end || _token.Is(':'))) return steps;
            if (_token.Offset != end) throw Error(dot, "the path ends with a dot", null);
            steps.Add(Segment(ref end));
        }

        return steps;
    }

    private Step Segment(ref int end)
    {
        var first = _token;
        end = first.End;
        if (first.Is('{') || first.Is('['))
        {
            var closing = first.Is('{') ? '}' : ']';
            Advance();
            if (_token.Offset != end || !_token.Is(closing))
                throw new SchemaErrorException(end, $"expected '{closing}'", first.Is('{') ? "the values of a table are written {}" : "the elements of an array are written []");
            end = _token.End;
            Advance();
            return new(first.Is('{') ? StepKind.Values : StepKind.Elements, first, null);
        }

        var name = Name("a field's name, {}, [] or a call");
        if (!_token.Is('(') || _token.Offset != end) return new(StepKind.Field, name, null);
        Advance();
        Token? argument = null;
        if (!_token.Is(')')) argument = Name("a field's name or ')'");
        end = _token.End;
        Expect(')', "it closes the call");
        return new(StepKind.Call, name, argument);
    }

    private Kind Type()
    {
        var name = Name("a type");
        switch (name.Text)
        {
            case "Struct": return Plain(name, Kind.Struct);
            case "Array": return Plain(name, Kind.Array);
            case "EWFlag": return Plain(name, Kind.EWFlag);
            case "MVReg": return Kind.MVReg(Parameter(name).Primitive);
            case "Table":
                var (primitive, token) = Parameter(name);
                return primitive != Primitive.F64 ? Kind.Table(primitive) : throw Error(token, "f64 is not a table key", "use u64, i64, bool, String or Bytes");
        }

        var suggestion = Primitives.TryGetValue(name.Text, out var alone)
            ? $"a value is kept in a register: MVReg<{alone.ToText()}>"
            : Suggestions.DidYouMean(name.Text, ["Struct", "Array", "EWFlag", "MVReg", "Table"]);
        throw Error(name, $"there is no type {name.Quoted}", suggestion ?? "types are Struct, Array, Table<…>, MVReg<…> and EWFlag");
    }

    private Kind Plain(Token name, Kind kind) =>
        !_token.Is('<') ? kind : throw Error(_token, $"{name.Text} takes no parameter", $"write {name.Text}");

    private (Primitive Primitive, Token Token) Parameter(Token type)
    {
        if (!_token.Is('<')) throw new SchemaErrorException(_end, $"{type.Text} needs a parameter", $"such as {type.Text}<String>");
        Advance();
        var token = Name("bool, u64, i64, f64, String or Bytes");
        if (!Primitives.TryGetValue(token.Text, out var primitive))
            throw Error(token, $"there is no primitive {token.Quoted}", Suggestions.DidYouMean(token.Text, Primitives.Keys) ?? "primitives are bool, u64, i64, f64, String and Bytes");
        Expect('>', $"write {type.Text}<{token.Text}>");
        return (primitive, token);
    }

    private Token Name(string expected)
    {
        var token = _token;
        if (token.Kind != TokenKind.Name) throw Error(token, $"expected {expected} and not {token.Quoted}", null);
        if (!Names.IsValid(token.Text)) throw Error(token, $"a name has at most {Limits.NameBytes} letters", null);
        Advance();
        return token;
    }

    private void Expect(char mark, string where)
    {
        if (!_token.Is(mark)) throw new SchemaErrorException(_end, $"expected '{mark}' and not {_token.Quoted}", where);
        Advance();
    }

    private void Advance()
    {
        _end = _token.End;
        _token = _lexer.Next();
    }

    private static SchemaErrorException Error(Token token, string text, string? suggestion) => new(token.Offset, text, suggestion);
}
