using System.Diagnostics.CodeAnalysis;
using Tlfs.Core.Lenses;

namespace Tlfs.Core.Schema;

/// <summary>
/// A compiled <c>.tlfs</c> source: schemas and their versions.
/// </summary>
/// <example><code>var list = TlfsPackage.Compile(source, "todoapp.tlfs").Schemas[0].Latest.List;</code></example>
public sealed class TlfsPackage
{
    private const int QuotedLine = 200;

    internal TlfsPackage(IReadOnlyList<TlfsSchema> schemas) => Schemas = schemas;

    /// <summary>The schemas in the order of the source; at least one.</summary>
    public IReadOnlyList<TlfsSchema> Schemas { get; }

    /// <summary>The schema of that name, or null.</summary>
    public TlfsSchema? Find(string name) => Schemas.FirstOrDefault(schema => string.Equals(schema.Name, name, StringComparison.Ordinal));

    /// <summary>
    /// Compiles a source. One that does not compile is a <see cref="TlfsException"/> with <see cref="Reason.SchemaError"/> and the line
    /// <c>file:line:column: text; suggestion</c>; nothing else is thrown for any text.
    /// </summary>
    /// <param name="source">The text of the file, at most <see cref="Limits.SchemaSourceBytes"/> bytes of UTF-8.</param>
    /// <param name="fileName">The name to show in errors.</param>
    public static TlfsPackage Compile(string source, string fileName = "schema.tlfs") =>
        TryCompile(source, fileName, out var package, out var error) ? package : throw new TlfsException(Reason.SchemaError, error.ToString());

    /// <summary>Compiles a source, or says what is wrong with it: the first error from the top.</summary>
    public static bool TryCompile(
        string source, string fileName, [NotNullWhen(true)] out TlfsPackage? package, [NotNullWhen(false)] out SchemaError? error)
    {
        package = null;
        error = null;
        try
        {
            if (System.Text.Encoding.UTF8.GetByteCount(source) > Limits.SchemaSourceBytes)
                throw new SchemaErrorException(0, $"the file has more than {Limits.SchemaSourceBytes} bytes", "split it into one file per schema");
            package = new Compiler(source).Compile();
            return true;
        }
        catch (SchemaErrorException refused)
        {
            error = Locate(source, fileName, refused);
            return false;
        }
    }

    private static SchemaError Locate(string source, string fileName, SchemaErrorException refused)
    {
        var before = source.AsSpan(0, refused.Offset);
        var start = before.LastIndexOf('\n') + 1;
        var line = source.AsSpan(start);
        var end = line.IndexOfAny('\r', '\n');
        if (end >= 0) line = line[..end];
        if (line.Length > QuotedLine) line = line[..QuotedLine];
        return new(fileName, before.Count('\n') + 1, refused.Offset - start + 1, line.ToString(), refused.Message, refused.Suggestion);
    }
}

/// <summary>A schema: a name and its versions.</summary>
/// <param name="Name">The name.</param>
/// <param name="Versions">The versions, ascending; at least one. The lens list of each starts with that of the one before.</param>
public sealed record TlfsSchema(string Name, IReadOnlyList<TlfsVersion> Versions)
{
    /// <summary>The newest version.</summary>
    public TlfsVersion Latest => Versions[^1];
}

/// <summary>A version of a schema.</summary>
/// <param name="Version">Its label.</param>
/// <param name="List">Its lenses from the first version on.</param>
public sealed record TlfsVersion(SchemaVersion Version, LensList List);
