using Tlfs.Core.Lenses;

namespace Tlfs.Core.Schema;

/// <summary>Differences between versions of a schema in words, for the developers of apps that use them.</summary>
public static class SchemaChangeText
{
    /// <summary>The word for a kind of change in machine output.</summary>
    public static string ToText(this SchemaChangeKind kind) => kind switch
    {
        SchemaChangeKind.Added => "added",
        SchemaChangeKind.Shown => "shown",
        SchemaChangeKind.Hidden => "hidden",
        SchemaChangeKind.Unknown => "unknown",
        SchemaChangeKind.Renamed => "renamed",
        SchemaChangeKind.Moved => "moved",
        SchemaChangeKind.Made => "made",
        SchemaChangeKind.Destroyed => "destroyed",
    };

    /// <summary>What changes at the place, one line.</summary>
    public static string What(SchemaChange change) => change.Kind switch
    {
        SchemaChangeKind.Added => $"adds {change.After}{Type(change)}",
        SchemaChangeKind.Shown => $"shows {change.After}{Type(change)} again",
        SchemaChangeKind.Hidden => $"removes {change.Before}{Type(change)}",
        SchemaChangeKind.Unknown => $"does not know {change.Before}{Type(change)}",
        SchemaChangeKind.Renamed => $"renames {change.Before} to {change.After}",
        SchemaChangeKind.Moved => $"moves {change.Before} to {change.After}",
        SchemaChangeKind.Made => $"gives {change.After} the type {change.Type}",
        SchemaChangeKind.Destroyed when change.Type != Kind.Null => $"gives {change.After} the type {change.Type} instead of its old one",
        SchemaChangeKind.Destroyed => $"takes the type of {change.After} away",
    };

    /// <summary>What that means for an app that stays with the version before, one line.</summary>
    public static string Meaning(SchemaChange change, SchemaVersion before, SchemaVersion after) => change.Kind switch
    {
        SchemaChangeKind.Added => $"{before} does not see it, and keeps what others write there",
        SchemaChangeKind.Shown => $"what was written there is kept; {before} does not see it",
        SchemaChangeKind.Hidden => $"hidden, and what it holds is kept; {before} keeps seeing {change.Before}",
        SchemaChangeKind.Unknown => $"what it holds is kept; {before} keeps seeing {change.Before}",
        SchemaChangeKind.Renamed or SchemaChangeKind.Moved => $"{before} keeps seeing {change.Before}, and both edit the same value",
        SchemaChangeKind.Made => $"{before} sees {change.Before} as null, and keeps what others write there",
        SchemaChangeKind.Destroyed => $"{after} does not see what {before} writes to {change.Before}; it is kept",
    };

    private static string Type(SchemaChange change) => change.Type == Kind.Null ? "" : $": {change.Type}";
}
