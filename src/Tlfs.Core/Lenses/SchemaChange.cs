namespace Tlfs.Core.Lenses;

/// <summary>How two versions of a schema differ at one place.</summary>
public enum SchemaChangeKind
{
    /// <summary>The version before does not know the place.</summary>
    Added,
    /// <summary>The version before knows the place and hides it.</summary>
    Shown,
    /// <summary>The version after knows the place and hides it; what it holds is kept.</summary>
    Hidden,
    /// <summary>The version after does not know the place; what it holds is kept.</summary>
    Unknown,
    /// <summary>The place has another name in the same struct.</summary>
    Renamed,
    /// <summary>The place is in another struct.</summary>
    Moved,
    /// <summary>The place had no type and has one.</summary>
    Made,
    /// <summary>The place had a type and has none, or another one.</summary>
    Destroyed,
}

/// <summary>One place at which two versions of a schema differ.</summary>
/// <param name="Kind">How.</param>
/// <param name="Before">Its path in the version before, as a <c>.tlfs</c> source writes it; null where it does not show it.</param>
/// <param name="After">Its path in the version after; null where it does not show it.</param>
/// <param name="Type">Its type in the version that shows it; in the one after if both do.</param>
public sealed record SchemaChange(SchemaChangeKind Kind, string? Before, string? After, Kind Type);
