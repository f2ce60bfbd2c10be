using System.CommandLine;
using Tlfs.Cli.CSharp;
using Tlfs.Cli.Running;
using Tlfs.Core;

namespace Tlfs.Cli.Commands;

/// <summary><c>tlfs generate csharp</c>.</summary>
internal static class GenerateCommands
{
    /// <summary>The group.</summary>
    public static Command All() => new("generate", "Source code with the types of a schema.") { CSharp() };

    private static Verb CSharp()
    {
        var file = Arguments.SchemaFile();
        var name = new Option<string?>("--schema") { Description = "Which schema of the file; needed if it holds several.", HelpName = "NAME" };
        var version = new Option<string?>("--version") { Description = "Which version of it; default: the newest.", HelpName = "VERSION" };
        var space = new Option<string?>("--namespace") { Description = "The namespace; default: the schema's name.", HelpName = "NAMESPACE" };
        var output = new Option<string?>("--output") { Description = "The file to write; default: standard output.", HelpName = "FILE" };
        string[] examples = ["tlfs generate csharp todoapp.tlfs --namespace TodoApp --output Todoapp.cs", "tlfs generate csharp todoapp.tlfs --version 0.1.0"];
        return new("csharp", "C# classes to read, edit and watch documents of a schema.", examples, async call =>
        {
            var package = await SchemaCommands.CompileAsync(call.Get(file), call.CancellationToken);
            var schema = SchemaDifferences.Chosen(package, call.Get(name));
            var chosen = SchemaDifferences.Version(schema, call.Get(version)) ?? schema.Latest;
            var source = CSharpGenerator.Generate(chosen, call.Get(space));
            if (call.Get(output) is { } target) await WriteAsync(target, source, call.CancellationToken);
            else if (!call.Print.IsJson) call.Print.Raw(source.TrimEnd('\n'));
            if (call.Get(output) is null && !call.Print.IsJson) return;
            call.Print.Result(
                json =>
                {
                    json.WriteString("schema", schema.Name);
                    json.WriteString("version", chosen.Version.ToString());
                    json.WriteString("file", call.Get(output));
                    if (call.Get(output) is null) json.WriteString("source", source);
                },
                $"{schema.Name} {chosen.Version}: wrote {call.Get(output)}");
        })
        { file, name, version, space, output };
    }

    private static async Task WriteAsync(string target, string source, CancellationToken cancellationToken)
    {
        try
        {
            await File.WriteAllTextAsync(target, source, cancellationToken);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or DirectoryNotFoundException)
        {
            throw new TlfsException(Reason.InputOutput, $"{target} cannot be written", e);
        }
    }
}
