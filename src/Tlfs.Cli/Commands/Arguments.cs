using System.CommandLine;
using System.Globalization;

namespace Tlfs.Cli.Commands;

/// <summary>Arguments that several commands take.</summary>
internal static class Arguments
{
    /// <summary>A document.</summary>
    public static Argument<string> Document() =>
        new("DOC") { Description = "A document's id (doc_…), or its beginning if no other document here has the same." };

    /// <summary>A place in a document.</summary>
    public static Argument<string> Path(string description = "A path such as .tasks[3].title or .people[\"Ann B.\"].age; . is the whole document.") =>
        new("PATH") { Description = description };

    /// <summary>A place in a document, the whole document if it is left out.</summary>
    public static Argument<string?> OptionalPath(string description = "A path such as .tasks[3].title; the whole document if left out.") =>
        new("PATH") { Description = description, Arity = ArgumentArity.ZeroOrOne };

    /// <summary>What an optional path means when it is left out.</summary>
    public const string Root = ".";

    /// <summary>A value.</summary>
    public static Argument<string> Value() =>
        new("JSON") { Description = "The value as JSON, for example '\"milk\"', 42, true or '{\"title\":\"milk\"}'; - reads it from standard input." };

    /// <summary>An index of an array.</summary>
    public static Argument<int> Index(string name, string description)
    {
        var index = new Argument<int>(name) { Description = description };
        index.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                result.AddError($"{name} is a number from 0, not {result.Tokens[0].Value}");
        });
        return index;
    }

    /// <summary>Somebody.</summary>
    public static Argument<string> Who(string description) => new("WHO") { Description = description };

    /// <summary>A .tlfs file.</summary>
    public static Argument<string> SchemaFile() => new("FILE") { Description = "A .tlfs file." };

    /// <summary>An address.</summary>
    public static Argument<string> Url(string name = "URL", string description = "The address of a cloudpeer, for example https://cloud.example.") =>
        new(name) { Description = description };
}
