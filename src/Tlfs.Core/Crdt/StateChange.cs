using Tlfs.Core.Ids;

namespace Tlfs.Core.Crdt;

/// <summary>What happened at a place of a document.</summary>
public enum ChangeKind
{
    /// <summary>A row or element began to exist, with all that is in it.</summary>
    Insert,
    /// <summary>A register or flag got another value.</summary>
    Update,
    /// <summary>An element went to another place in its array.</summary>
    Move,
    /// <summary>A row or element ended to exist, with all that was in it.</summary>
    Remove,
    /// <summary>A grant began to hold.</summary>
    Grant,
    /// <summary>A grant holds no longer.</summary>
    Revoke,
}

/// <summary>One difference between two versions of a document, as a schema version shows it.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Path">Where: the path in the newer version, of a remove in the older one.</param>
/// <param name="Value">The JSON of what stands there now, of a remove what stood there; null for grants.</param>
/// <param name="From">The path in the older version of an element that moved; else null.</param>
/// <param name="Envelope">An envelope that did it; null if it came about because one counts no longer.</param>
public sealed record StateChange(ChangeKind Kind, string Path, string? Value, string? From, EnvelopeId? Envelope);
