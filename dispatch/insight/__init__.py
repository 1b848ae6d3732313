"""What can be read: cases, queues, escalations, the snapshot and figures. Reads only, in the reader's scope, masked."""
