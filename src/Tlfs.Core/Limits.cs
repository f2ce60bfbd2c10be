namespace Tlfs.Core;

/// <summary>The limits of the format (docs/protocol/encoding.md §6). All are refused one past the limit, before anything is allocated for it.</summary>
public static class Limits
{
    /// <summary>Bytes of a whole envelope.</summary>
    public const int EnvelopeBytes = 1 << 20;
    /// <summary>Bytes of an envelope's header.</summary>
    public const int HeaderBytes = 16 << 10;
    /// <summary>Bytes of a policy envelope's body.</summary>
    public const int BodyBytes = 256 << 10;
    /// <summary>Heads of other authors named by one envelope.</summary>
    public const int Deps = 64;
    /// <summary>Policy heads named by one envelope.</summary>
    public const int Auth = 16;
    /// <summary>Zones touched by one envelope.</summary>
    public const int Parts = 64;
    /// <summary>Envelopes of one snapshot.</summary>
    public const int SnapshotEnvelopes = 4_096;
    /// <summary>Operations in one part, and operations forwarded by one part.</summary>
    public const int Operations = 16_384;
    /// <summary>Dots named by one remove.</summary>
    public const int DotsPerRemove = 4_096;
    /// <summary>Bytes of a canonical lens list.</summary>
    public const int LensListBytes = 64 << 10;
    /// <summary>Lenses in a list.</summary>
    public const int Lenses = 4_096;
    /// <summary>How deep lenses nest, so that decoding needs a bounded stack.</summary>
    public const int LensDepth = 32;
    /// <summary>Bytes of a name of a schema or field.</summary>
    public const int NameBytes = 64;
    /// <summary>Segments of a path.</summary>
    public const int PathSegments = 32;
    /// <summary>Bytes of an encoded path.</summary>
    public const int PathBytes = 1_024;
    /// <summary>Bytes of a table key of kind String or Bytes.</summary>
    public const int KeyBytes = 256;
    /// <summary>Bytes of an array position.</summary>
    public const int PositionBytes = 64;
    /// <summary>Bytes of an account card.</summary>
    public const int CardBytes = 4 << 10;
    /// <summary>Bytes of a sealed inbox message.</summary>
    public const int MessageBytes = 32 << 10;
    /// <summary>Bytes of an invitation's note.</summary>
    public const int NoteBytes = 1_024;
    /// <summary>Policy statements in a document.</summary>
    public const int Statements = 65_536;
    /// <summary>Grants from the genesis to a grant.</summary>
    public const int DelegationDepth = 32;
    /// <summary>Revocations of one grant.</summary>
    public const int RevocationsPerGrant = 64;
    /// <summary>Proofs of forks that one author states.</summary>
    public const int ProofsPerAuthor = 64;
    /// <summary>Cuts in one revocation.</summary>
    public const int Cuts = 1_024;
    /// <summary>Wraps in one rotate or wrap statement.</summary>
    public const int Wraps = 1_024;
    /// <summary>Previous epochs named by one rotate.</summary>
    public const int PreviousEpochs = 16;
    /// <summary>Epochs of the parent zone under which one rotate or wrap gives the keys.</summary>
    public const int ParentWraps = 16;
    /// <summary>Bytes of a sealed path of a zone or of a grant.</summary>
    public const int SealedPathBytes = 4_096;
    /// <summary>Zones made in a document, zone 0 not counted.</summary>
    public const int Zones = 4_096;
    /// <summary>Steps from zone 0 to a zone.</summary>
    public const int ZoneDepth = 32;
    /// <summary>Openings in one part.</summary>
    public const int Openings = 64;
    /// <summary>Forwards in one part.</summary>
    public const int Forwards = 4_096;
    /// <summary>Envelopes after which a member writes a snapshot.</summary>
    public const int EnvelopesPerSnapshot = 4_096;
    /// <summary>Envelopes after which whoever may write makes new keys (docs/protocol/statements.md §5.10).</summary>
    public const int EnvelopesPerEpoch = 65_536;
    /// <summary>Bytes of a .tlfs source file.</summary>
    public const int SchemaSourceBytes = 256 << 10;
}
