namespace Tlfs.Core;

/// <summary>
/// Every reason for which the engine, a client or a cloudpeer refuses something. The names are stable: on the command line they
/// appear as <c>[kebab-case]</c>, in gRPC's <c>ErrorInfo</c> as <c>UPPER_SNAKE_CASE</c>. <c>docs/protocol/errors.md</c> lists them all.
/// </summary>
public enum Reason
{
    // The zero value is an unexplained failure, never success.
    /// <summary>A bug: an invariant did not hold.</summary>
    Internal = 0,

    // Bytes from outside
    /// <summary>A size limit was exceeded.</summary>
    TooLarge,
    /// <summary>Bytes are not the deterministic encoding of what was expected.</summary>
    Malformed,
    /// <summary>The version, suite, statement or option is not known to this version.</summary>
    Unsupported,

    // Envelopes: Invalid
    /// <summary>The envelope belongs to another document.</summary>
    WrongDocument,
    /// <summary>The envelope does not continue its author's chain.</summary>
    ChainBroken,
    /// <summary>Two envelopes of one author carry the same sequence number.</summary>
    Equivocation,
    /// <summary>A signature does not verify.</summary>
    BadSignature,
    /// <summary>A part or body does not have the hash its header names.</summary>
    PartHash,

    // Envelopes: Pending and KeyMissing
    /// <summary>No held grant names the author yet.</summary>
    AuthorUnknown,
    /// <summary>The author's previous envelope is not held yet.</summary>
    PrevMissing,
    /// <summary>An envelope that this one depends on is not held yet.</summary>
    DepsMissing,
    /// <summary>The key of the epoch has not arrived yet.</summary>
    KeyMissing,
    /// <summary>The keys offered for an epoch do not match its commitment.</summary>
    KeyDispute,

    // Envelopes: Void
    /// <summary>The author may not do this according to the statements held.</summary>
    NotAuthorised,
    /// <summary>A part does not open under the committed key.</summary>
    Unsealable,
    /// <summary>The padding of a part is not zero or its length does not fit.</summary>
    BadPadding,
    /// <summary>The operations of a part are malformed or do not match their root.</summary>
    BadOperations,
    /// <summary>A part names a schema that nothing before it carried.</summary>
    SchemaUnknown,
    /// <summary>An operation does not fit the schema its part names.</summary>
    SchemaMismatch,
    /// <summary>An operation lies outside its part's zone.</summary>
    OutsideZone,
    /// <summary>An operation lies outside the path to which its author's right is narrowed.</summary>
    OutsidePath,

    // Editing
    /// <summary>A .tlfs file does not compile.</summary>
    SchemaError,
    /// <summary>The replica has no schema of that name.</summary>
    SchemaNotFound,
    /// <summary>The document's schema and the replica's have no common beginning.</summary>
    SchemaDiffers,
    /// <summary>A path is not well-formed.</summary>
    PathSyntax,
    /// <summary>The schema has nothing at that path.</summary>
    PathNotFound,
    /// <summary>A value does not fit the kind at its path.</summary>
    TypeMismatch,
    /// <summary>An index is outside the array.</summary>
    IndexOutOfRange,
    /// <summary>There is nothing at that path.</summary>
    NotPresent,
    /// <summary>The positions between two elements are used up.</summary>
    ArrayDense,
    /// <summary>The edit changes nothing.</summary>
    NothingToDo,

    // Permissions
    /// <summary>No grant with that id.</summary>
    GrantNotFound,
    /// <summary>The permission cannot be given to that actor or on that path.</summary>
    GrantRefused,
    /// <summary>The account's card is not known and no cloudpeer could be asked.</summary>
    CardUnknown,

    // Replica
    /// <summary>No document with that id.</summary>
    DocumentNotFound,
    /// <summary>The folder holds no replica.</summary>
    NotInitialised,
    /// <summary>The folder holds a replica already.</summary>
    AlreadyInitialised,
    /// <summary>An argument is not what the command takes.</summary>
    BadArgument,
    /// <summary>A file or folder cannot be read or written.</summary>
    InputOutput,
    /// <summary>The disk is full.</summary>
    StorageFull,
    /// <summary>Another process holds the replica.</summary>
    Busy,
    /// <summary>An exported file does not open with this passphrase.</summary>
    WrongPassphrase,
    /// <summary>No invitation with that id.</summary>
    InviteNotFound,
    /// <summary>An inbox message does not open or does not prove its sender.</summary>
    BadMessage,

    // Server and session
    /// <summary>The server cannot be reached.</summary>
    Unreachable,
    /// <summary>The address answers, but not as a cloudpeer.</summary>
    NotACloudpeer,
    /// <summary>The server is not the one that was added.</summary>
    WrongServer,
    /// <summary>Plain http to a host that is not this machine.</summary>
    InsecureUrl,
    /// <summary>No cloudpeer with that address was added.</summary>
    CloudpeerNotFound,
    /// <summary>The server holds fewer envelopes than it once acknowledged.</summary>
    ServerRollback,
    /// <summary>The server's log contradicts one it showed before.</summary>
    ServerFork,
    /// <summary>A snapshot does not agree with what it stands for.</summary>
    SnapshotDispute,
    /// <summary>The call carries no valid session.</summary>
    Unauthenticated,
    /// <summary>A session proof or signed request is wrong or too old.</summary>
    BadProof,
    /// <summary>The server does not accept new accounts.</summary>
    RegistrationClosed,
    /// <summary>The document, account or message does not exist, or the caller may not know.</summary>
    NotFound,
    /// <summary>The server holds no Sync grant in this document any more.</summary>
    NotHosted,
    /// <summary>A pushed envelope leaves a gap after the author's last one; the answer names it.</summary>
    ChainBehind,
    /// <summary>A zone was made without having seen all statements that the server holds.</summary>
    PolicyMoved,
    /// <summary>A limit of the hosting tenant's plan is reached; the answer names which, the limit and the use.</summary>
    QuotaExceeded,
    /// <summary>The account that hosts the document may not store anything now.</summary>
    SubscriptionReadOnly,
    /// <summary>Too many requests; try again after the given time.</summary>
    RateLimited,
    /// <summary>The recipient's inbox is full.</summary>
    InboxFull,
    /// <summary>The server cannot write now; try again.</summary>
    Unavailable,
    /// <summary>The time limit passed.</summary>
    Timeout,
}

/// <summary>The text forms of a <see cref="Reason"/>.</summary>
public static class ReasonText
{
    /// <summary>The reason as <c>kebab-case</c>, for people and scripts.</summary>
    public static string ToKebab(this Reason reason) => Join(reason, '-', char.ToLowerInvariant);

    /// <summary>The reason as <c>UPPER_SNAKE_CASE</c>, for gRPC's <c>ErrorInfo.reason</c>.</summary>
    public static string ToUpperSnake(this Reason reason) => Join(reason, '_', char.ToUpperInvariant);

    /// <summary>Reads <see cref="ToUpperSnake"/> back; false for text that names no reason.</summary>
    public static bool TryParseUpperSnake(string text, out Reason reason) =>
        BySnake.TryGetValue(text, out reason);

    private static readonly Dictionary<string, Reason> BySnake =
        Enum.GetValues<Reason>().ToDictionary(ToUpperSnake, StringComparer.Ordinal);

    private static string Join(Reason reason, char separator, Func<char, char> map)
    {
        var text = new System.Text.StringBuilder();
        foreach (var letter in reason.ToString())
        {
            if (char.IsUpper(letter) && text.Length > 0) text.Append(separator);
            text.Append(map(letter));
        }

        return text.ToString();
    }
}
