using System.Text.Json;
using Tlfs.Cli.Running;
using Tlfs.Core;
using Tlfs.Core.Lenses;
using Tlfs.Core.Schema;

namespace Tlfs.Cli.Commands;

/// <summary>What <c>tlfs schema check</c> says about versions and what changes between them.</summary>
internal static class SchemaDifferences
{
    /// <summary>All versions of all schemas, each with what it changes in the one before.</summary>
    public static void All(Printer print, TlfsPackage package)
    {
        var versions = package.Schemas.SelectMany(schema => schema.Versions.Select((version, i) => new Step(schema.Name, i == 0 ? null : schema.Versions[i - 1], version))).ToList();
        print.Table(versions, Members, SchemaCommands.Header, step => SchemaCommands.Cells((step.Schema, step.After)), "The file holds no schema.");
        foreach (var step in versions) Explain(print, step);
    }

    /// <summary>What changes from one version of a schema to another, whichever is newer.</summary>
    public static void One(Printer print, TlfsPackage package, string? name, string? from, string? to)
    {
        var schema = Chosen(package, name);
        var after = Version(schema, to) ?? schema.Latest;
        var before = Version(schema, from) ?? schema.Versions.TakeWhile(version => version != after).LastOrDefault()
            ?? throw new TlfsException(Reason.BadArgument, $"{after.Version} is the first version of {schema.Name}; name another one with --from");
        var step = new Step(schema.Name, before, after);
        if (!print.IsJson)
        {
            Explain(print, step, first: true);
            return;
        }

        print.Result(
            json =>
            {
                json.WriteString("schema", schema.Name);
                json.WriteString("from", before.Version.ToString());
                json.WriteString("to", after.Version.ToString());
                Changes(json, step);
            },
            "");
    }

    /// <summary>The schema of that name, or the only one.</summary>
    /// <exception cref="TlfsException"><see cref="Reason.SchemaNotFound"/>, or <see cref="Reason.BadArgument"/> if several could be meant.</exception>
    public static TlfsSchema Chosen(TlfsPackage package, string? name)
    {
        var names = string.Join(", ", package.Schemas.Select(schema => schema.Name));
        if (name is not null) return package.Find(name) ?? throw new TlfsException(Reason.SchemaNotFound, $"the file has no schema {name}; it has {names}");
        return package.Schemas is [var only] ? only : throw new TlfsException(Reason.BadArgument, $"the file holds several schemas; choose one with --schema: {names}");
    }

    /// <summary>The version of that label; null for none asked.</summary>
    /// <exception cref="TlfsException"><see cref="Reason.BadArgument"/> for a label that no version has.</exception>
    public static TlfsVersion? Version(TlfsSchema schema, string? label) => label is null ? null
        : schema.Versions.FirstOrDefault(version => string.Equals(version.Version.ToString(), label, StringComparison.Ordinal))
            ?? throw new TlfsException(Reason.BadArgument, $"{schema.Name} has no version {label}; it has {string.Join(", ", schema.Versions.Select(version => version.Version))}");

    private static void Explain(Printer print, Step step, bool first = false)
    {
        if (step.Before is null || print.IsJson) return;
        if (!first) print.Line("");
        var changes = step.Changes();
        print.Line($"{step.Schema} {step.Before.Version} -> {step.After.Version}{(changes.Count == 0 ? ": nothing that an app sees" : "")}");
        foreach (var change in changes)
        {
            print.Line($"  {SchemaChangeText.What(change)}");
            print.Line($"    {SchemaChangeText.Meaning(change, step.Before.Version, step.After.Version)}");
        }
    }

    private static void Members(Utf8JsonWriter json, Step step)
    {
        SchemaCommands.Members(json, (step.Schema, step.After));
        Changes(json, step);
    }

    private static void Changes(Utf8JsonWriter json, Step step)
    {
        json.WriteStartArray("changes");
        foreach (var change in step.Changes())
        {
            json.WriteStartObject();
            json.WriteString("change", change.Kind.ToText());
            json.WriteString("before", change.Before);
            json.WriteString("after", change.After);
            json.WriteString("type", change.Type.ToString());
            json.WriteString("text", $"{SchemaChangeText.What(change)}; {SchemaChangeText.Meaning(change, step.Before!.Version, step.After.Version)}");
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Two versions of a schema; without the one before for the first.</summary>
    private sealed record Step(string Schema, TlfsVersion? Before, TlfsVersion After)
    {
        public IReadOnlyList<SchemaChange> Changes() => Before is null ? [] : SchemaDifference.Between(Before.List, After.List);
    }
}
