using CloudPeer.Sync.Client;
using Tlfs.Client.Storage;
using Tlfs.Core.Sealing;

namespace Tlfs.Client.Sync;

/// <summary>
/// The log heads that envelopes carry: what other devices were shown, compared with what is shown here, whichever server brought them
/// (docs/protocol/log.md §5.2). One envelope that crosses between two views is enough. Inside the gate.
/// </summary>
internal static class SeenHeads
{
    /// <summary>
    /// Compares heads of the server that brought them, and keeps those that cannot be compared yet. Those of another server are only kept: it may have begun a
    /// new generation that it has not told this device of, so they are compared in the next pull from it. Heads of servers that are not used here are nobody's.
    /// </summary>
    /// <param name="home">The replica.</param>
    /// <param name="cursor">The log of the server that brought them.</param>
    /// <param name="heads">The heads, of any server.</param>
    /// <returns>The fault of the server that brought them.</returns>
    public static LogFault? Note(ReplicaHome home, LogCursor cursor, IReadOnlyList<LogHead> heads)
    {
        LogFault? fault = null;
        foreach (var ofServer in heads.GroupBy(head => head.Server))
        {
            if (ofServer.Key == cursor.Server)
            {
                fault = Note(home, cursor, ofServer);
                continue;
            }

            var other = new Place(cursor.Document, ofServer.Key);
            if (!IsUsed(home, other)) continue;
            foreach (var head in News(home.Custody.Cursor(other), ofServer)) home.Logs.SaveSeen(head);
        }

        return fault;
    }

    /// <summary>True if neither this device nor, as far as is known here, another one was ever given anything of the document by the server; inside the gate.</summary>
    public static bool NeverHeld(ReplicaHome home, LogCursor cursor) => cursor.AtLeast == 0 && home.Logs.Seen(new(cursor.Document, cursor.Server)).Count == 0;

    private static LogFault? Note(ReplicaHome home, LogCursor cursor, IEnumerable<LogHead> heads)
    {
        foreach (var head in News(cursor, heads))
        {
            if (cursor.PromiseSeen(head) is { } fault) return fault;
            home.Logs.SaveSeen(head);
        }

        return null;
    }

    private static IEnumerable<LogHead> News(LogCursor cursor, IEnumerable<LogHead> heads) =>
        heads.Where(head => !cursor.Agrees(head.Size, head.Root) && head.Verify());

    private static bool IsUsed(ReplicaHome home, Place at) => home.Custody.Servers(at.Document).Contains(at.Server) || Targets.PlacesOf(home, at.Document).Contains(at);
}
