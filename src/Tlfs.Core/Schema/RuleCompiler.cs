using Tlfs.Core.Lenses;

namespace Tlfs.Core.Schema;

/// <summary>Turns the rules of one schema into lenses, and applies each at once to know what the next one may refer to.</summary>
internal sealed class RuleCompiler(string schemaName)
{
    private readonly ViewBuilder _view = new();
    private readonly List<Lens> _lenses = [];
    private readonly Dictionary<(ViewNode Parent, string Name), string> _gone = [];
    private int _bytes = 8 + schemaName.Length;

    /// <summary>The lenses so far.</summary>
    public LensList ToList() => LensList.Of(schemaName, _lenses);

    /// <summary><c>.path: Type</c>: adds the field, if the path ends in one, and makes it.</summary>
    public void Make(List<Step> path, Kind kind, Token start)
    {
        var last = path.Count > 0 ? path[^1] : null;
        var at = last?.Token ?? start;
        if (last is { Kind: StepKind.Field })
        {
            var parent = Struct(path[..^1], at);
            if (parent.Field(last.Name) is { } taken)
                throw Error(at, $"there is a field '{last.Name}' already, of type {taken.Kind}", "a field keeps its type; remove or rename that one first");
            Add(path[..^1], new AddProperty(last.Name), at);
        }
        else if (Resolve(path, start).Kind is var found && found != Kind.Null)
        {
            throw Error(at, $"{Text(path)} is of type {found} already", "a type is given once; to change it, remove the field and add another");
        }

        Add(path, new Make(kind), at);
    }

    /// <summary>True for a call that has a name between its parentheses.</summary>
    public static bool TakesName(string call) => call is "rename" or "plunge";

    /// <summary><c>.path.call(argument)</c>.</summary>
    public void Call(List<Step> path, Step call)
    {
        var takesName = TakesName(call.Name);
        if (!takesName && call.Name is not ("remove" or "hoist"))
            throw Error(call.Token, $"there is no call '{call.Name}'", Suggestions.DidYouMean(call.Name, Calls) ?? "calls are remove(), rename(name), hoist() and plunge(host)");
        if (takesName && call.Argument is null) throw Error(call.Token, $"{call.Name}() needs a name", $"write {call.Name}(name)");
        if (!takesName && call.Argument is { } extra) throw Error(extra, $"{call.Name}() takes no name", $"write {call.Name}()");
        if (path.Count == 0 || path[^1].Kind != StepKind.Field)
            throw Error(call.Token, $"{call.Name}() works on a field", $"write .field.{call.Name}({call.Argument?.Text})");
        var field = path[^1];
        Resolve(path, field.Token);
        switch (call.Name)
        {
            case "remove": Remove(path[..^1], field); break;
            case "rename": Rename(path[..^1], field, call.Argument!.Value); break;
            case "plunge": Plunge(path[..^1], field, call.Argument!.Value); break;
            default: Hoist(path[..^1], field, call.Token); break;
        }
    }

    private void Remove(List<Step> path, Step field)
    {
        Add(path, new RemoveProperty(field.Name), field.Token);
        _gone[(Resolve(path, field.Token), field.Name)] = "it was removed above";
    }

    private void Rename(List<Step> path, Step field, Token to)
    {
        var parent = Struct(path, field.Token);
        if (string.Equals(field.Name, to.Text, StringComparison.Ordinal)) throw Error(to, $"the field is called '{to.Text}' already", "leave the rule out");
        if (parent.Field(to.Text) is not null) throw Error(to, $"there is a field '{to.Text}' already", "rename or remove that one first");
        Add(path, new RenameProperty(field.Name, to.Text), to);
        _gone[(parent, field.Name)] = $"it was renamed above and is called '{to.Text}'";
    }

    private void Plunge(List<Step> path, Step field, Token host)
    {
        var parent = Struct(path, field.Token);
        if (string.Equals(host.Text, field.Name, StringComparison.Ordinal))
            throw Error(host, "a field cannot be plunged into itself", "name the Struct beside it that takes it in");
        if (parent.Field(host.Text) is not { } into) throw NoField(host, parent);
        if (into.Kind.Code != KindCode.Struct) throw Error(host, $"'{host.Text}' is of type {into.Kind} and holds no fields", "name a Struct beside the field");
        if (into.Field(field.Name) is not null) throw Error(field.Token, $"'{host.Text}' has a field '{field.Name}' already", "rename one of the two first");
        Add(path, new PlungeProperty(host.Text, field.Name), host);
        _gone[(parent, field.Name)] = $"it was plunged above and is {Text([.. path, new(StepKind.Field, host, null), field])}";
    }

    private void Hoist(List<Step> path, Step field, Token call)
    {
        if (path.Count == 0 || path[^1].Kind != StepKind.Field)
            throw Error(call, "hoist() works on a field of a field", "write .host.field.hoist()");
        var host = path[^1];
        var (from, parent) = (Struct(path, field.Token), Struct(path[..^1], host.Token));
        if (parent.Field(field.Name) is not null)
            throw Error(field.Token, $"there is a field '{field.Name}' already where it would go", "rename one of the two first");
        Add(path[..^1], new HoistProperty(host.Name, field.Name), field.Token);
        _gone[(from, field.Name)] = $"it was hoisted above and is {Text([.. path[..^1], field])}";
    }

    /// <summary>The place at a path, which must exist.</summary>
    private ViewNode Resolve(List<Step> path, Token start)
    {
        if (path.Count > Limits.LensDepth) throw Error(path[Limits.LensDepth].Token, $"a path has at most {Limits.LensDepth} segments", TooDeep);
        var node = _view.Root;
        for (var i = 0; i < path.Count; i++)
        {
            var step = path[i];
            if (step.Kind == StepKind.Field) node = Field(node, step, path[..i]);
            else if (node.Kind.Code == (step.Kind == StepKind.Values ? KindCode.Table : KindCode.Array)) node = node.Element!;
            else throw Mismatch(step.Token, node, path[..i], step.Kind == StepKind.Values ? "a Table" : "an Array", step.Text);
        }

        return path.Count == 0 && node.Kind == Kind.Null && _lenses.Count > 0 ? throw Error(start, "the document has no type", "write .: Struct") : node;
    }

    private ViewNode Struct(List<Step> path, Token at)
    {
        var node = Resolve(path, at);
        return node.Kind.Code == KindCode.Struct ? node : throw Mismatch(at, node, path, "a Struct", at.Text);
    }

    private ViewNode Field(ViewNode node, Step step, List<Step> parent)
    {
        if (node.Kind.Code != KindCode.Struct) throw Mismatch(step.Token, node, parent, "a Struct", step.Text);
        return node.Field(step.Name) ?? throw NoField(step.Token, node);
    }

    private void Add(List<Step> path, Lens lens, Token at)
    {
        for (var i = path.Count - 1; i >= 0; i--)
        {
            lens = path[i].Kind switch
            {
                StepKind.Values => new LensMapValue(lens),
                StepKind.Elements => new LensMap(lens),
                StepKind.Field or StepKind.Call => new LensIn(path[i].Name, lens),
            };
        }

        if (path.Count > Limits.LensDepth) throw Error(at, $"a path has at most {Limits.LensDepth} segments", TooDeep);
        _bytes += LensCodec.Encode(lens).Length;
        if (_lenses.Count == Limits.Lenses || _bytes > Limits.LensListBytes)
            throw Error(at, $"a schema has at most {Limits.Lenses} lenses and {Limits.LensListBytes} bytes of them", "begin a new schema");
        if (_view.Apply(lens, default) is { } why) throw Error(at, why, TooDeep);
        _lenses.Add(lens);
    }

    private static SchemaErrorException Mismatch(Token at, ViewNode node, List<Step> path, string needed, string segment)
    {
        var suggestion = node.Kind.Code switch
        {
            KindCode.Null => $"give it a type first: {Text(path)}: {(needed is "a Table" ? "Table<String>" : needed.Split(' ')[1])}",
            KindCode.Table => $"its values are {Text(path)}.{{}}".Replace("..", ".", StringComparison.Ordinal),
            KindCode.Array => $"its elements are {Text(path)}.[]".Replace("..", ".", StringComparison.Ordinal),
            KindCode.Struct => Existing([.. node.Fields.Keys]),
            KindCode.MVReg or KindCode.EWFlag => "it holds one value and nothing below",
        };
        var type = node.Kind == Kind.Null ? "has no type" : $"is of type {node.Kind}";
        return Error(at, $"{Text(path)} {type}, and '{segment}' needs {needed}", suggestion);
    }

    private SchemaErrorException NoField(Token name, ViewNode node) => Error(name, $"there is no field '{name.Text}'",
        _gone.GetValueOrDefault((node, name.Text)) ?? Suggestions.DidYouMean(name.Text, node.Fields.Keys) ?? Existing([.. node.Fields.Keys]));

    /// <summary>What there is instead: the first few fields.</summary>
    private static string Existing(string[] fields) => fields.Length == 0
        ? "it has no fields yet: add it with .path: Type"
        : $"its fields are {string.Join(", ", fields.Take(ShownFields))}{(fields.Length > ShownFields ? ", …" : "")}";

    private static string Text(List<Step> path) => path.Count == 0 ? "." : string.Concat(path.Select(step => "." + step.Text));

    private static SchemaErrorException Error(Token at, string text, string? suggestion) => new(at.Offset, text, suggestion);

    private const int ShownFields = 6;

    private const string TooDeep = "hold what is deeper in a schema of its own";

    private static readonly string[] Calls = ["remove", "rename", "hoist", "plunge"];
}
