// node one-size.mjs '{ subject, size, folder }': measures one subject at one size, prints its figures as JSON.
import { peakRssMb } from '../peers/process-usage.mjs';
import { SUBJECTS } from './subjects.mjs';

const { subject, size, folder } = JSON.parse(process.argv[2]);
const measure = await SUBJECTS[subject].load();
const figures = await measure({ folder, size });
process.stdout.write(`${JSON.stringify({ ...figures, rssMb: peakRssMb(process.pid) })}\n`);
