using System.CommandLine;
using System.Text.Json;
using Tlfs.Cli.Running;
using Tlfs.Core;
using Tlfs.Core.Schema;

namespace Tlfs.Cli.Commands;

/// <summary><c>tlfs schema check|add</c>.</summary>
internal static class SchemaCommands
{
    /// <summary>The group.</summary>
    public static Command All() => new("schema", "The schemas that documents of this replica follow.") { Check(), Add() };

    private static Verb Check()
    {
        var file = Arguments.SchemaFile();
        var name = new Option<string?>("--schema") { Description = "Which schema of the file to compare; needed if it holds several.", HelpName = "NAME" };
        var from = new Option<string?>("--from") { Description = "Compare from this version; default: the one before --to.", HelpName = "VERSION" };
        var to = new Option<string?>("--to") { Description = "Compare to this version; default: the newest.", HelpName = "VERSION" };
        string[] examples = ["tlfs schema check todoapp.tlfs", "tlfs schema check todoapp.tlfs --from 0.1.0 --to 0.3.0"];
        return new("check", "Compile a .tlfs file, list its schemas and versions, and say what changes between them.", examples, async call =>
        {
            var package = await CompileAsync(call.Get(file), call.CancellationToken);
            if ((call.Get(name), call.Get(from), call.Get(to)) is not (null, null, null)) SchemaDifferences.One(call.Print, package, call.Get(name), call.Get(from), call.Get(to));
            else SchemaDifferences.All(call.Print, package);
        })
        { file, name, from, to };
    }

    private static Verb Add()
    {
        var file = Arguments.SchemaFile();
        var pins = new Option<string[]>("--version")
        {
            Description = "Use this version of a schema instead of its newest, for example todoapp=0.1.0; may be given for each schema.",
            HelpName = "NAME=X",
        };
        string[] examples = ["tlfs schema add todoapp.tlfs", "tlfs schema add todoapp.tlfs --version todoapp=0.1.0"];
        return new("add", "Add the schemas of a .tlfs file to this replica.", examples, async call =>
        {
            var package = await CompileAsync(call.Get(file), call.CancellationToken);
            await using var tlfs = await call.OpenAsync();
            var wanted = Pins(call.Get(pins) ?? []);
            await tlfs.AddSchemasAsync(package, wanted, call.CancellationToken);
            List(call.Print, package.Schemas.Select(schema => (schema.Name, Chosen(schema, wanted))));
            call.Print.Hint($"Next: tlfs doc create {package.Schemas[0].Name}");
        })
        { file, pins };
    }

    /// <summary>Compiles a file.</summary>
    /// <exception cref="TlfsException"><see cref="Reason.SchemaError"/>, or whatever reading may say.</exception>
    internal static async Task<TlfsPackage> CompileAsync(string file, CancellationToken cancellationToken)
    {
        var source = await InputFile.ReadTextAsync(file, Limits.SchemaSourceBytes, cancellationToken);
        return TlfsPackage.Compile(source, Path.GetFileName(file));
    }

    private static Dictionary<string, SchemaVersion> Pins(IEnumerable<string> texts)
    {
        var pins = new Dictionary<string, SchemaVersion>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            if (text.Split('=') is not [var name, var label] || !SchemaVersion.TryParse(label, out var version))
                throw new TlfsException(Reason.BadArgument, "--version takes NAME=X, for example todoapp=0.1.0");
            if (!pins.TryAdd(name, version)) throw new TlfsException(Reason.BadArgument, $"--version names {name} twice");
        }

        return pins;
    }

    private static TlfsVersion Chosen(TlfsSchema schema, Dictionary<string, SchemaVersion> pins) =>
        pins.TryGetValue(schema.Name, out var pinned) ? schema.Versions.First(version => version.Version == pinned) : schema.Latest;

    private static void List(Printer print, IEnumerable<(string Name, TlfsVersion Version)> schemas) => print.Table(
        [.. schemas], Members, Header, Cells, "The file holds no schema.");

    /// <summary>The headings of a table of versions.</summary>
    internal static readonly string[] Header = ["SCHEMA", "VERSION", "LENSES", "HASH"];

    /// <summary>The cells of a version.</summary>
    internal static string[] Cells((string Name, TlfsVersion Version) each) =>
        [each.Name, each.Version.Version.ToString(), Text.Number(each.Version.List.Lenses.Count), each.Version.List.Hash.ToString()];

    /// <summary>The members of a version's object.</summary>
    internal static void Members(Utf8JsonWriter json, (string Name, TlfsVersion Version) each)
    {
        json.WriteString("schema", each.Name);
        json.WriteString("version", each.Version.Version.ToString());
        json.WriteNumber("lenses", each.Version.List.Lenses.Count);
        json.WriteString("hash", each.Version.List.Hash.ToString());
    }
}
