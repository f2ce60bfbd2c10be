using Tlfs.Core.Lenses;

namespace Tlfs.Core.Schema;

/// <summary>Turns the rules of one schema into lenses, and applies each at once to know what the next one may refer to.</summary>
internal sealed class RuleCompiler(string schemaName)
{
    private readonly ViewBuilder _view = new();
    private readonly List<Lens> _lenses = [];
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
            if (parent.Field(last.Name) is not null)
                throw Error(at, $"there is a field '{last.Name}' already", "a field keeps its type; remove or rename the other one first");
            Add(path[..^1], new AddProperty(last.Name), at);
        }
        else if (Resolve(path, start).Kind is var found && found != Kind.Null)
        {
            throw Error(at, $"{Text(path)} is of type {found} already", "a type is given once");
        }

        Add(path, new Make(kind), at);
    }

    /// <summary><c>.path.call(argument)</c>.</summary>
    public void Call(List<Step> path, Step call)
    {
        var takesName = call.Name is "rename" or "plunge";
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
            case "remove": Add(path[..^1], new RemoveProperty(field.Name), field.Token); break;
            case "rename": Rename(path[..^1], field, call.Argument!.Value); break;
            case "plunge": Plunge(path[..^1], field, call.Argument!.Value); break;
            default: Hoist(path[..^1], field, call.Token); break;
        }
    }

    private void Rename(List<Step> path, Step field, Token to)
    {
        if (Struct(path, field.Token).Field(to.Text) is not null) throw Error(to, $"there is a field '{to.Text}' already", null);
        Add(path, new RenameProperty(field.Name, to.Text), to);
    }

    private void Plunge(List<Step> path, Step field, Token host)
    {
        var parent = Struct(path, field.Token);
        if (parent.Field(host.Text) is not { } into) throw NoField(host, parent);
        if (into.Kind.Code != KindCode.Struct) throw Error(host, $"'{host.Text}' is of type {into.Kind} and holds no fields", "plunge into a Struct");
        if (into.Field(field.Name) is not null) throw Error(field.Token, $"'{host.Text}' has a field '{field.Name}' already", null);
        Add(path, new PlungeProperty(host.Text, field.Name), host);
    }

    private void Hoist(List<Step> path, Step field, Token call)
    {
        if (path.Count == 0 || path[^1].Kind != StepKind.Field)
            throw Error(call, "hoist() works on a field of a field", "write .host.field.hoist()");
        var host = path[^1];
        if (Struct(path[..^1], host.Token).Field(field.Name) is not null)
            throw Error(field.Token, $"there is a field '{field.Name}' already where it would go", null);
        Add(path[..^1], new HoistProperty(host.Name, field.Name), field.Token);
    }

    /// <summary>The place at a path, which must exist.</summary>
    private ViewNode Resolve(List<Step> path, Token start)
    {
        if (path.Count > Limits.LensDepth) throw Error(path[Limits.LensDepth].Token, $"a path has at most {Limits.LensDepth} segments", null);
        var node = _view.Root;
        for (var i = 0; i < path.Count; i++)
        {
            var step = path[i];
            if (step.Kind == StepKind.Field) node = Field(node, step, path[..i]);
            else if (node.Kind.Code == (step.Kind == StepKind.Values ? KindCode.Table : KindCode.Array)) node = node.Element!;
            else throw Mismatch(step.Token, node, path[..i], step.Kind == StepKind.Values ? "a Table<String>" : "an Array", step.Text);
        }

        return path.Count == 0 && node.Kind == Kind.Null && _lenses.Count > 0 ? throw Error(start, "the document has no type", "write .: Struct") : node;
    }

    private ViewNode Struct(List<Step> path, Token at)
    {
        var node = Resolve(path, at);
        return node.Kind.Code == KindCode.Struct ? node : throw Mismatch(at, node, path, "a Struct", at.Text);
    }

    private static ViewNode Field(ViewNode node, Step step, List<Step> parent)
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

        if (path.Count > Limits.LensDepth) throw Error(at, $"a path has at most {Limits.LensDepth} segments", null);
        _bytes += LensCodec.Encode(lens).Length;
        if (_lenses.Count == Limits.Lenses || _bytes > Limits.LensListBytes)
            throw Error(at, $"a schema has at most {Limits.Lenses} lenses and {Limits.LensListBytes} bytes of them", "begin a new schema");
        if (_view.Apply(lens, default) is { } why) throw Error(at, why, null);
        _lenses.Add(lens);
    }

    private static SchemaErrorException Mismatch(Token at, ViewNode node, List<Step> path, string needed, string segment)
    {
        var suggestion = node.Kind.Code switch
        {
            KindCode.Null => $"give it a type first: {Text(path)}: {needed.Split(' ')[1]}",
            KindCode.Table => $"its values are {Text(path)}.{{}}".Replace("..", ".", StringComparison.Ordinal),
            KindCode.Array => $"its elements are {Text(path)}.[]".Replace("..", ".", StringComparison.Ordinal),
            KindCode.Struct or KindCode.MVReg or KindCode.EWFlag => null,
        };
        var type = node.Kind == Kind.Null ? "has no type" : $"is of type {node.Kind}";
        return Error(at, $"{Text(path)} {type}, and '{segment}' needs {needed}", suggestion);
    }

    private static SchemaErrorException NoField(Token name, ViewNode node) =>
        Error(name, $"there is no field '{name.Text}'", Suggestions.DidYouMean(name.Text, node.Fields.Keys));

    private static string Text(List<Step> path) => path.Count == 0 ? "." : string.Concat(path.Select(step => "." + step.Text));

    private static SchemaErrorException Error(Token at, string text, string? suggestion) => new(at.Offset, text, suggestion);

    private static readonly string[] Calls = ["remove", "rename", "hoist", "plunge"];
}
