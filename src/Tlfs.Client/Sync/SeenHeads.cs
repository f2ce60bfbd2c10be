using CloudPeer.Sync.Client;
using CloudPeer.Sync.Log;
using CloudPeer.Sync.Sessions;
using Tlfs.Client.Storage;
using Tlfs.Core.Sealing;

namespace Tlfs.Client.Sync;

/// <summary>
/// The log heads that envelopes carry: what other devices were shown, compared with what is shown here, whichever server brought them
/// (docs/protocol/log.md §5.2). One envelope that crosses between two views is enough. Inside the gate.
/// </summary>
internal static class SeenHeads
{
    /// <summary>Compares heads, and keeps those that cannot be compared yet.</summary>
    /// <param name="home">The replica.</param>
    /// <param name="cursor">The log of the server that brought them.</param>
    /// <param name="heads">The heads, of any server.</param>
    /// <returns>The fault of the server that brought them; another one's is stored with it.</returns>
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
            if (Note(home, home.Custody.Cursor(other), ofServer) is { } found) home.Custody.SaveFault(other, found, home.Options.Time.Micros());
        }

        return fault;
    }

    private static LogFault? Note(ReplicaHome home, LogCursor cursor, IEnumerable<LogHead> heads)
    {
        foreach (var head in heads)
        {
            if (cursor.Agrees(head.Size, head.Root) || !head.Verify()) continue;
            if (cursor.Promise(new HeadStatement(head), verified: true) is { } fault) return fault;
            home.Logs.SaveSeen(head);
        }

        return null;
    }
}
