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
            if (_token.Is('}')) throw Error(_token, "there is a '}' too many", "remove it, or look for a '{' that is missing above");
            var name = Name("a schema's name", "a file holds schemas: todoapp { 0.1.0 { .: Struct } }");
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
            if (_token.Kind == TokenKind.End) throw Error(_token, $"the schema {name.Quoted} does not end", "close it with '}'");
            var version = Version(versions, name.Text);
            CompileVersion(rules, version);
            versions.Add(new(version, rules.ToList()));
        }

        if (versions.Count == 0) throw Error(_token, "the schema has no version", "write: 0.1.0 { .: Struct }");
        Advance();
        return new(name.Text, versions);
    }

    private SchemaVersion Version(List<TlfsVersion> earlier, string schema)
    {
        var token = _token;
        if (token.Kind != TokenKind.Number || !SchemaVersion.TryParse(token.Text, out var version))
            throw Error(token, $"expected a version and not {token.Quoted}", Hints.ForVersion(token, schema));
        if (earlier.Exists(other => other.Version == version)) throw Error(token, $"there is a version {version} already", "put all rules of a version between the same braces");
        if (earlier.Count > 0 && version.CompareTo(earlier[^1].Version) <= 0)
            throw Error(token, $"version {version} does not come after {earlier[^1].Version}", "versions ascend from the top down");
        if (earlier.Count == MaxVersions) throw Error(token, $"a schema has at most {MaxVersions} versions", "begin a new schema");
        Advance();
        return version;
    }

    private void CompileVersion(RuleCompiler rules, SchemaVersion version)
    {
        Expect('{', "it opens the version");
        while (!_token.Is('}'))
        {
            if (_token.Kind == TokenKind.End) throw Error(_token, $"version {version} does not end", "close it with '}'");
            if (!_token.Is('.')) throw Error(_token, $"expected a rule or '}}' and not {_token.Quoted}", Hints.ForRule(_token, version));
            CompileRule(rules);
        }

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

        Expect(':', Hints.ForColon(_token));
        rules.Make(path, Type(), start);
    }

    /// <summary>A path: dots and segments without blanks between them. A lone dot is the root.</summary>
    private List<Step> Path()
    {
        var steps = new List<Step>();
        var end = _token.Offset;
        while (_token.Is('.') && _token.Offset == end && (steps.Count == 0 || steps[^1].Kind != StepKind.Call))
        {
            var dot = _token;
            Advance();
            end = dot.End;
            if (steps.Count == 0 && (_token.Offset != end || _token.Is(':'))) return steps;
            if (_token.Offset != end) throw Error(dot, "the path ends with a dot", "a segment follows at once: .tasks.[].title");
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

        var name = Name("a field's name, {}, [] or a call", Hints.ForSegment(_token));
        if (!_token.Is('(') || _token.Offset != end) return new(StepKind.Field, name, null);
        Advance();
        Token? argument = null;
        if (!_token.Is(')')) argument = Name("a field's name or ')'", $"a call is written .field.{name.Text}({(RuleCompiler.TakesName(name.Text) ? "name" : "")})");
        end = _token.End;
        Expect(')', "it closes the call");
        return new(StepKind.Call, name, argument);
    }

    private Kind Type()
    {
        var name = Name("a type", Hints.AllTypes);
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

        throw Error(name, $"there is no type {name.Quoted}", Hints.ForType(name.Text));
    }

    private Kind Plain(Token name, Kind kind) =>
        !_token.Is('<') ? kind : throw Error(_token, $"{name.Text} takes no parameter", Hints.ForParameter(kind));

    private (Primitive Primitive, Token Token) Parameter(Token type)
    {
        if (!_token.Is('<')) throw new SchemaErrorException(_end, $"{type.Text} needs a parameter", $"such as {type.Text}<String>");
        Advance();
        var token = Name("a primitive", Hints.AllPrimitives);
        if (!Primitives.TryGetValue(token.Text, out var primitive))
            throw Error(token, $"there is no primitive {token.Quoted}", Hints.ForPrimitive(token.Text));
        Expect('>', $"write {type.Text}<{token.Text}>");
        return (primitive, token);
    }

    private Token Name(string expected, string suggestion)
    {
        var token = _token;
        if (token.Kind != TokenKind.Name) throw Error(token, $"expected {expected} and not {token.Quoted}", suggestion);
        if (!Names.IsValid(token.Text)) throw Error(token, $"a name has at most {Limits.NameBytes} letters", $"this one has {token.Text.Length}");
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
